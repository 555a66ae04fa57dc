/** A driver's services on its two sockets: one for CSI, one in the directory where the kubelet looks for plugins. */
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { PackageDefinition } from '@grpc/proto-loader';
import type { Driver } from './driver.ts';
import { servicesOf } from './services.ts';
import { wireError } from './status.ts';

export interface Running {
  /** Takes the sockets away, so that the kubelet forgets the driver, and lets calls under way end. Mounts stay. */
  stop(): Promise<void>;
}

/** Reads both proto files as `messages.ts` describes it. `csiProto`: path of csi.proto. */
export function loadProtos(csiProto: string): PackageDefinition {
  const registration = path.join(import.meta.dirname, 'pluginregistration.proto');
  return loadSync([csiProto, registration], { keepCase: true, longs: Number, enums: String, defaults: true, oneofs: true });
}

/** Where a driver listens. */
export function socketsOf(kubeletRoot: string, name: string): { csi: string; registration: string } {
  return {
    csi: path.join(kubeletRoot, 'plugins', name, 'csi.sock'),
    registration: path.join(kubeletRoot, 'plugins_registry', `${name}-reg.sock`),
  };
}

/** Serves until stopped. The kubelet calls as soon as the registration socket is there, so that one comes last. */
export async function serve(driver: Driver, protos: PackageDefinition): Promise<Running> {
  const sockets = socketsOf(driver.config.kubeletRoot, driver.config.name);
  const server = new grpc.Server({ 'grpc.enable_channelz': 0 });
  for (const { service, handlers } of servicesOf(driver, sockets.csi)) {
    const definition = protos[service] as grpc.ServiceDefinition;
    const implementation = Object.fromEntries(
      Object.entries(handlers).map(([call, handler]) => [call, unary(handler)]),
    ) as grpc.UntypedServiceImplementation;
    server.addService(definition, implementation);
  }
  for (const socket of [sockets.csi, sockets.registration]) {
    await mkdir(path.dirname(socket), { recursive: true, mode: 0o750 });
    await rm(socket, { force: true }); // of an earlier process
    await bind(server, socket);
  }
  return {
    async stop() {
      await rm(sockets.registration, { force: true });
      await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      await rm(sockets.csi, { force: true });
    },
  };
}

function bind(server: grpc.Server, socket: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.bindAsync(`unix://${socket}`, grpc.ServerCredentials.createInsecure(), (error) => (error === null ? resolve() : reject(error)));
  });
}

function unary(handler: (request: never) => Promise<object>): grpc.handleUnaryCall<never, object> {
  return (call, callback) => void answer(handler, call, callback);
}

async function answer(
  handler: (request: never) => Promise<object>,
  call: grpc.ServerUnaryCall<never, object>,
  callback: grpc.sendUnaryData<object>,
): Promise<void> {
  try {
    callback(null, await handler(call.request));
  } catch (error) {
    const wire = wireError(error);
    console.error(`${call.getPath()}: ${wire.details}`);
    callback(wire);
  }
}
