/** Which call is answered by what: the CSI services and the kubelet's registration service of one driver. */
import type { Driver } from './driver.ts';
import { createGroup, deleteGroup, getGroup } from './groups.ts';
import type { Handlers } from './messages.ts';
import { expandOnNode, nodeInfo, publishVolume, unpublishVolume, volumeStats } from './node.ts';
import { createSnapshot, deleteSnapshot, getSnapshot, listSnapshots } from './snapshots.ts';
import { createVolume, deleteVolume, expandVolume, getCapacity, listVolumes, validateCapabilities } from './volumes.ts';

/** Reported as the driver's version; it follows no other numbering. */
const version = '1.0.0';

const controllerCapabilities = [
  'CREATE_DELETE_VOLUME',
  'LIST_VOLUMES',
  'GET_CAPACITY',
  'CREATE_DELETE_SNAPSHOT',
  'LIST_SNAPSHOTS',
  'GET_SNAPSHOT',
  'CLONE_VOLUME',
  'EXPAND_VOLUME',
  'SINGLE_NODE_MULTI_WRITER',
];
// No staging: the driver binds straight into the pod's place.
const nodeCapabilities = ['GET_VOLUME_STATS', 'EXPAND_VOLUME', 'SINGLE_NODE_MULTI_WRITER'];

export interface Service {
  /** Full name in the proto file. */
  service: string;
  handlers: Handlers;
}

/** All services of a driver. `ready` says whether its state is in order; `endpoint` is its CSI socket. */
export function servicesOf(driver: Driver, endpoint: string): Service[] {
  return [
    { service: 'csi.v1.Identity', handlers: identity(driver) },
    { service: 'csi.v1.Controller', handlers: controller(driver) },
    { service: 'csi.v1.GroupController', handlers: groupController(driver) },
    { service: 'csi.v1.Node', handlers: node(driver) },
    { service: 'pluginregistration.Registration', handlers: registration(driver, endpoint) },
  ];
}

function identity(driver: Driver): Handlers {
  return {
    GetPluginInfo: async () => ({ name: driver.config.name, vendor_version: version }),
    GetPluginCapabilities: async () => ({
      capabilities: [
        { service: { type: 'CONTROLLER_SERVICE' } },
        { service: { type: 'GROUP_CONTROLLER_SERVICE' } },
        { service: { type: 'VOLUME_ACCESSIBILITY_CONSTRAINTS' } },
        { volume_expansion: { type: 'ONLINE' } },
      ],
    }),
    Probe: async () => ({ ready: { value: true } }),
  };
}

function controller(driver: Driver): Handlers {
  return {
    ControllerGetCapabilities: async () => ({ capabilities: controllerCapabilities.map((type) => ({ rpc: { type } })) }),
    CreateVolume: (request) => createVolume(driver, request),
    DeleteVolume: (request) => deleteVolume(driver, request),
    ListVolumes: (request) => listVolumes(driver, request),
    ValidateVolumeCapabilities: (request) => validateCapabilities(driver, request),
    GetCapacity: () => getCapacity(driver),
    ControllerExpandVolume: (request) => expandVolume(driver, request),
    CreateSnapshot: (request) => createSnapshot(driver, request),
    DeleteSnapshot: (request) => deleteSnapshot(driver, request),
    ListSnapshots: (request) => listSnapshots(driver, request),
    GetSnapshot: (request) => getSnapshot(driver, request),
  };
}

function groupController(driver: Driver): Handlers {
  return {
    GroupControllerGetCapabilities: async () => ({ capabilities: [{ rpc: { type: 'CREATE_DELETE_GET_VOLUME_GROUP_SNAPSHOT' } }] }),
    CreateVolumeGroupSnapshot: (request) => createGroup(driver, request),
    DeleteVolumeGroupSnapshot: (request) => deleteGroup(driver, request),
    GetVolumeGroupSnapshot: (request) => getGroup(driver, request),
  };
}

function node(driver: Driver): Handlers {
  return {
    NodeGetCapabilities: async () => ({ capabilities: nodeCapabilities.map((type) => ({ rpc: { type } })) }),
    NodeGetInfo: () => nodeInfo(driver),
    NodePublishVolume: (request) => publishVolume(driver, request),
    NodeUnpublishVolume: (request) => unpublishVolume(driver, request),
    NodeGetVolumeStats: (request) => volumeStats(driver, request),
    NodeExpandVolume: (request) => expandOnNode(driver, request),
  };
}

function registration(driver: Driver, endpoint: string): Handlers {
  return {
    GetInfo: async () => ({ type: 'CSIPlugin', name: driver.config.name, endpoint, supported_versions: ['1.0.0'] }),
    NotifyRegistrationStatus: async (status: { plugin_registered: boolean; error: string }) => {
      const said = status.plugin_registered ? 'registered with the kubelet' : `refused by the kubelet: ${status.error}`;
      console.log(`${driver.config.name} ${said}`);
      return {};
    },
  };
}
