/** The system packages that go into images. Apart from those of the node: here the C library belongs to it. */
import { packages, type Packages } from '../pieces/apt.ts';
import type { Work } from '../pieces/index.ts';
import { leftOut } from '../pieces/pins.ts';

/** Like for the node, but with the C library and the compiler's own. */
const leftOutOfImages = new RegExp(leftOut.source.replace('libc6|', '').replace('libgcc-s1|', ''));

export function imagePackages(work: Work): Promise<Packages> {
  const names = ['libc6', 'libstdc++6', 'libgcc-s1', 'libatomic1', 'ca-certificates', 'busybox-static', 'catatonit'];
  return packages({ name: 'images', packages: names, leftOut: leftOutOfImages }, work);
}

/** The distribution's PostgreSQL, without its Perl wrappers: the programs are called by their own path. */
export function postgresPackages(work: Work): Promise<Packages> {
  const left = new RegExp(`${leftOutOfImages.source}|^(postgresql|postgresql-common.*|postgresql-client-common)$`);
  return packages({ name: 'postgres', packages: ['postgresql', 'tzdata'], leftOut: left }, work);
}
