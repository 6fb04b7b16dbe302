// Owns an MCP server over HTTP for tests: JSON or a stream of events, a session, and the ways in which one misbehaves.
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export type McpHttpServer = {
  readonly url: string;
  readonly seen: { readonly method: string; readonly rpc: string; readonly headers: IncomingHttpHeaders }[];
  /** how the next calls of tools are answered */
  how: 'json' | 'events' | 'redirect' | 'forgotten' | 'endless' | 'nothing';
  description: string;
  close(): Promise<void>;
};

export async function startMcpHttpServer(): Promise<McpHttpServer> {
  const server = createServer(async (request, answer) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { id, method = '', params = {} } = body === '' ? {} : JSON.parse(body);
    double.seen.push({ method: request.method ?? '', rpc: method, headers: request.headers });
    const json = (result: unknown): void => {
      answer.setHeader('content-type', 'application/json');
      answer.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
    };
    if (id === undefined) answer.writeHead(202).end();
    else if (method === 'initialize') {
      answer.setHeader('mcp-session-id', 'session-1');
      json({ protocolVersion: params.protocolVersion, capabilities: {} });
    } else if (method === 'tools/list')
      json({ tools: [{ name: 'weather', description: double.description, inputSchema: { type: 'object' } }] });
    else if (double.how === 'redirect') answer.writeHead(307, { location: 'http://127.0.0.1:1/' }).end();
    else if (double.how === 'forgotten') answer.writeHead(404).end();
    else if (double.how === 'endless') {
      answer.writeHead(200, { 'content-type': 'text/event-stream' });
      const more = setInterval(() => answer.write(`: ${'x'.repeat(500_000)}\n\n`), 1);
      answer.on('close', () => clearInterval(more));
    } else if (double.how === 'nothing')
      answer.writeHead(200, { 'content-type': 'text/event-stream' }).end(': bye\n\n');
    else if (double.how === 'events') {
      answer.writeHead(200, { 'content-type': 'text/event-stream' });
      const note = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress' });
      const said = JSON.stringify({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: 'rain' }] } });
      // It stays open: the client has to know when it has its answer.
      answer.write(`event: message\ndata: ${note}\n\ndata: ${said.slice(0, 20)}`);
      answer.write(`${said.slice(20)}\r\n\r\n`);
    } else json({ content: [{ type: 'text', text: 'sun' }] });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const double: McpHttpServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    seen: [],
    how: 'json',
    description: 'Tells the weather.',
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return double;
}
