/**
 * The storage drivers of a test bed's nodes: a CSI driver in TypeScript, one process (`main.ts`, started by `driverCommand`) for all
 * drivers of a node. It registers itself with the kubelet and keeps everything in one state directory, so that a killed process goes on
 * where it was (mounts stay; csi-provisioner and csi-snapshotter end with their driver and have to be started again as well).
 *
 * What a driver makes its filesystem volumes of decides what can be tested with it:
 *
 * | medium | volume                   | snapshot                       | full volume  | grows                              |
 * |--------|--------------------------|--------------------------------|--------------|------------------------------------|
 * | plain  | directory                | copy, not atomic               | no limit     | at once                            |
 * | btrfs  | subvolume of a loop file | atomic, instant, shared blocks | EDQUOT       | at once                            |
 * | ext4   | image file, own mount    | atomic, frozen while copied    | ENOSPC       | in use only with CAP_SYS_RESOURCE, |
 * |        | (with lost+found)        |                                |              | else at the next mount             |
 *
 * Raw block volumes are sparse files on loop devices with every medium; their snapshots are atomic with btrfs only. Loop devices belong to no
 * namespace: after a node was killed, `detachAll(stateDir)` frees them, and must run before the state directory is removed.
 *
 * The way through the code: `main` opens each `driver` and puts its `services` on a `server`; `volumes`, `snapshots` and `node` are the calls
 * of the CSI spec; `medium` is the interface below them with `plain`, `btrfs`, `ext4` and `block`; `mounts`, `loop` and `command` are the
 * machine. Needs root and mount, umount, losetup, blockdev, cp, rm; with btrfs: btrfs, mkfs.btrfs; with ext4: mkfs.ext4, dumpe2fs,
 * e2fsck, resize2fs, fsfreeze.
 */
export { detachAll } from './detach.ts';
export type { Detached } from './detach.ts';
export { driverCommand, readFlags, writeFlags } from './flags.ts';
export type { CsiFlags, MediumKind } from './flags.ts';
export { driverObjects, testbedDrivers } from './manifests.ts';
export type { DriverSpec, Manifest, StorageClassSpec } from './manifests.ts';
