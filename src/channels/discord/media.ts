// Owns the fetching of attachments: from Discord's own hosts and nowhere else, without the token, never more than was asked
// for. A link that ran out is renewed once.
import * as z from 'zod/mini';
import { httpCall } from '../../net/http-call.ts';
import { ChannelFailure } from '../channel.ts';
import { type DiscordEndpoints, mediaUrl } from './endpoints.ts';
import { networkFailure } from './failures.ts';
import { type ApiCall, jsonBody } from './rest.ts';

const TIMEOUT_MS = 60_000;
const renewed = z.object({ refreshed_urls: z.array(z.object({ refreshed: z.string() })) });

export async function fetchMedia(
  ref: string,
  maxBytes: number,
  api: ApiCall,
  endpoints: DiscordEndpoints,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const get = async (link: string) => {
    const url = mediaUrl(link, endpoints);
    if (url) return httpCall({ method: 'GET', url, maxBytes, timeoutMs: TIMEOUT_MS, signal });
    throw new ChannelFailure(
      'refused',
      'the attachment does not lie on a host of Discord',
      'ask the sender to attach the file itself',
    );
  };
  const first = await get(ref);
  const answer = first.status === 403 || first.status === 404 ? await again(ref) : first;
  if (answer.status !== 200) throw networkFailure(`the attachment cannot be fetched (HTTP ${answer.status})`);
  return answer.body;

  async function again(link: string) {
    const reply = await api('POST', '/attachments/refresh-urls', signal, jsonBody({ attachment_urls: [link] }));
    const next = renewed.safeParse(reply.body).data?.refreshed_urls[0]?.refreshed;
    return next === undefined ? first : get(next);
  }
}
