// Owns the MCP server of a drill: a program that is none, answering in the place of a box what a server in it would say. Part
// of the composition; it runs nothing.
import { Readable } from 'node:stream';
import { tryParseJson } from '../platform/json.ts';
import { DEFAULT_LIMITS, type Sandbox } from '../sandbox/driver.ts';

export type ServedTool = { readonly name: string; readonly description: string; readonly answer: string };
type Asked = { readonly id?: unknown; readonly method?: string; readonly params?: { readonly name?: string } };

export function serverBox(tools: readonly ServedTool[], called: (tool: string) => void) {
  const answerTo = ({ method, params }: Asked): unknown => {
    if (method === 'initialize')
      return {
        protocolVersion: '2025-06-18',
        capabilities: { tools: {} },
        serverInfo: { name: 'drill', version: '1' },
      };
    if (method === 'tools/list')
      return {
        tools: tools.map(({ name, description }) => ({ name, description, inputSchema: { type: 'object' } })),
      };
    if (method !== 'tools/call') return {};
    called(params?.name ?? '');
    const tool = tools.find(({ name }) => name === params?.name);
    return { content: [{ type: 'text', text: tool?.answer ?? '' }] };
  };
  const sandbox: Sandbox = {
    driver: 'drill',
    exec: ({ stdin, onOutput, signal }) =>
      new Promise((resolve) => {
        const end = (): void =>
          resolve({ exitCode: 0, stdout: '', stderr: '', truncated: false, durationMs: 0, stopped: 'aborted' });
        signal.addEventListener('abort', end, { once: true });
        if (!(stdin instanceof Readable)) return;
        let rest = '';
        stdin.on('data', (chunk: Buffer) => {
          const lines = `${rest}${chunk.toString('utf8')}`.split('\n');
          rest = lines.pop() ?? '';
          for (const line of lines) {
            const asked = tryParseJson(line) as Asked | undefined;
            if (asked?.id === undefined) continue;
            const answer = { jsonrpc: '2.0', id: asked.id, result: answerTo(asked) };
            onOutput?.(Buffer.from(`${JSON.stringify(answer)}\n`), 'stdout');
          }
        });
      }),
    close: async () => {},
  };
  return { sandbox, limits: DEFAULT_LIMITS };
}
