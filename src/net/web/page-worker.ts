// Owns the thread that reads one page: told of its bytes, it answers with the text. It has no environment, no input and no
// way to anything; read-aside.ts starts it and ends it.
import { parentPort, workerData } from 'node:worker_threads';
import { type PageBytes, readBytes } from './page-text.ts';

parentPort?.postMessage(readBytes(workerData as PageBytes));
