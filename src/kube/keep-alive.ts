/** Pings, so that load balancers do not drop a quiet WebSocket and a dead peer is noticed. */
import type { WebSocket } from 'ws';

const PING_MS = 20_000;
/** Pings without an answer before the line counts as dead. */
const MISSED = 3;

/**
 * @param paused true while we do not read: then answers wait in the socket and silence proves nothing
 * @returns stops the pings
 */
export function keepAlive(ws: WebSocket, paused: () => boolean): () => void {
  let silent = 0;
  const heard = (): void => {
    silent = 0;
  };
  ws.on('pong', heard);
  ws.on('message', heard);
  const timer = setInterval(() => {
    if (ws.readyState !== ws.OPEN || paused()) {
      silent = 0;
      return;
    }
    if (++silent > MISSED) ws.terminate();
    else ws.ping();
  }, PING_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    ws.off('pong', heard);
    ws.off('message', heard);
  };
}
