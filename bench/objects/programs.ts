/** Velero and its plugin for S3, built from the pinned Go modules in bench/build. Only this bench asks for them. */
import { join } from 'node:path';
import { build, type Recipe } from '../../testbed/pieces/index.ts';
import type { Work } from '../data/peers.ts';

const velero = 'github.com/vmware-tanzu/velero';
const version = '1.18.3';
const none = { stamp: [], links: [], files: [] } as const;

const definitions = [
  'backuprepositories',
  'backups',
  'backupstoragelocations',
  'deletebackuprequests',
  'downloadrequests',
  'podvolumebackups',
  'podvolumerestores',
  'restores',
  'schedules',
  'serverstatusrequests',
  'volumesnapshotlocations',
].map((plural) => `velero.io_${plural}.yaml`);
const definitionsV2 = ['datadownloads', 'datauploads'].map((plural) => `velero.io_${plural}.yaml`);

const veleroRecipe: Recipe = {
  ...none,
  name: 'velero',
  version,
  module: '../../bench/build/velero',
  programs: [{ output: 'velero', package: `${velero}/cmd/velero` }],
  stamp: [`-X ${velero}/pkg/buildinfo.Version=v${version}`],
  files: [
    {
      module: velero,
      paths: [
        ...definitions.map((file) => `config/crd/v1/bases/${file}`),
        ...definitionsV2.map((file) => `config/crd/v2alpha1/bases/${file}`),
      ],
    },
  ],
};

const pluginRecipe: Recipe = {
  ...none,
  name: 'velero-plugin-for-aws',
  version: '1.14.3',
  module: '../../bench/build/velero-plugin-for-aws',
  programs: [{ output: 'velero-plugin-for-aws', package: 'github.com/vmware-tanzu/velero-plugin-for-aws/velero-plugin-for-aws' }],
};

export interface VeleroProgram {
  path: string;
  version: string;
  /** A directory that holds the plugin and nothing else: Velero starts every program in it. */
  plugins: string;
  /** YAML files. */
  definitions: string[];
}

export async function provideVelero(work: Work): Promise<VeleroProgram> {
  const plugins = await build(pluginRecipe, work);
  const directory = await build(veleroRecipe, work);
  return {
    path: join(directory, 'velero'),
    version: `${version}, plugin for S3 ${pluginRecipe.version}`,
    plugins,
    definitions: [...definitions, ...definitionsV2].map((file) => join(directory, 'files', file)),
  };
}
