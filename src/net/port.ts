// Owns the question whether a port of this machine is free: it listens there for a moment and says nothing to anybody.
import { createServer } from 'node:net';
import { errnoOf } from '../platform/errors.ts';

/** Null when it is free, else why not. */
export function whyNotFree(port: number, host: string): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => {
      const errno = errnoOf(error);
      if (errno === 'EADDRNOTAVAIL' || errno === 'EAFNOSUPPORT') return resolve(null);
      resolve(
        errno === 'EADDRINUSE'
          ? 'another program listens there'
          : errno === 'EACCES'
            ? "ports below 1024 are root's"
            : error.message,
      );
    });
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(null)));
  });
}
