import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { openRefusingRecorder } from './refusing-recorder.ts';

test('hears what it is told on loopback, answers nothing, and is gone with its end', async () => {
  const recorder = await openRefusingRecorder();
  const socket = connect(recorder.port, '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk) => {
    answer += String(chunk);
  });
  socket.on('error', () => {});
  socket.write('GET /secret');
  await once(socket, 'close');
  expect([recorder.heard, answer]).toEqual([['(a connection) GET /secret'], '']);
  connect(recorder.port, '127.0.0.1').on('error', () => {});
  await recorder.close();
});
