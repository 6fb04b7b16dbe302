// Owns what vendors' secrets look like: a literal start, then a bounded rest. Data, and nothing that searches. Every rest
// is tried at one position only and has a cap, so that no text can make a search slow.

export type TokenShape = {
  readonly kind: string;
  /** literal beginnings, each at least two characters */
  readonly starts: readonly string[];
  /** what follows; group 1, when there is one, is the part to hide and must reach to the end */
  readonly rest: string;
  /** how many characters before the start belong to it; the rest then begins with a look behind */
  readonly back?: number;
  /** only where a word could begin: the start is also the end of ordinary words (`task-`) */
  readonly alone?: true;
  /** only when the hidden part looks generated, since people write such words */
  readonly generated?: true;
};

/** Letters and digits, with the two signs that tokens add. */
const W = '[A-Za-z0-9_-]';
const AN = '[A-Za-z0-9]';
const HEX = '[0-9a-f]';
/** Also as it stands in the query of another URL. */
const SLASH = '(?:/|%2[Ff])';

export const TOKEN_SHAPES: readonly TokenShape[] = [
  // models
  { kind: 'anthropic', starts: ['sk-ant-'], rest: `${W}{16,256}` },
  { kind: 'openai', starts: ['sk-proj-', 'sk-svcacct-', 'sk-admin-', 'sk-or-'], rest: `${W}{16,256}` },
  { kind: 'model-key', starts: ['sk-'], rest: `${W}{16,256}`, alone: true, generated: true },
  { kind: 'groq', starts: ['gsk_'], rest: `${AN}{20,80}` },
  { kind: 'xai', starts: ['xai-'], rest: `${AN}{20,120}` },
  { kind: 'perplexity', starts: ['pplx-'], rest: `${AN}{20,80}` },
  { kind: 'huggingface', starts: ['hf_', 'api_org_'], rest: `${AN}{20,60}`, alone: true },
  { kind: 'replicate', starts: ['r8_'], rest: `${AN}{30,50}`, alone: true },
  { kind: 'elevenlabs', starts: ['sk_'], rest: `${HEX}{40,64}`, alone: true },
  { kind: 'langsmith', starts: ['lsv2_pt_', 'lsv2_sk_'], rest: `${W}{20,80}` },
  { kind: 'pinecone', starts: ['pcsk_'], rest: `${W}{20,100}` },
  { kind: 'search', starts: ['tvly-', 'fc-', 'BSA'], rest: `${W}{20,64}`, alone: true, generated: true },
  // code and packages
  { kind: 'github', starts: ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'], rest: `${AN}{16,255}` },
  { kind: 'github', starts: ['github_pat_'], rest: '[A-Za-z0-9_]{16,255}' },
  {
    kind: 'gitlab',
    starts: ['glpat-', 'gldt-', 'glrt-', 'glcbt-', 'glptt-', 'glft-', 'glimt-', 'glagent-', 'glsoat-', 'gloas-'],
    rest: '[A-Za-z0-9_.-]{16,128}',
  },
  { kind: 'bitbucket', starts: ['ATBB'], rest: `${AN}{28,64}` },
  { kind: 'atlassian', starts: ['ATATT3', 'ATCTT3'], rest: '[A-Za-z0-9_=-]{20,256}' },
  { kind: 'npm', starts: ['npm_'], rest: `${AN}{30,64}` },
  { kind: 'pypi', starts: ['pypi-'], rest: `${W}{40,512}` },
  { kind: 'rubygems', starts: ['rubygems_'], rest: `${HEX}{40,64}` },
  { kind: 'docker', starts: ['dckr_pat_', 'dckr_oat_'], rest: `${W}{20,64}` },
  { kind: 'sentry', starts: ['sntrys_', 'sntryu_'], rest: '[A-Za-z0-9_=+/-]{20,256}' },
  { kind: 'postman', starts: ['PMAK-'], rest: `${HEX}{24}-${HEX}{34}` },
  { kind: 'buildkite', starts: ['bkua_'], rest: `${HEX}{40}` },
  // chat
  {
    kind: 'slack',
    starts: ['xoxb-', 'xoxp-', 'xoxa-', 'xoxr-', 'xoxs-', 'xoxe-', 'xoxe.', 'xoxc-', 'xoxd-'],
    rest: '[A-Za-z0-9.%-]{10,256}',
  },
  { kind: 'slack', starts: ['xapp-'], rest: `${W}{10,256}` },
  {
    kind: 'slack-webhook',
    starts: ['hooks.slack.com'],
    rest: `${SLASH}(?:services|workflows|triggers)${SLASH}([A-Za-z0-9/%_-]{16,128})`,
  },
  {
    kind: 'discord-webhook',
    starts: ['webhooks/', 'webhooks%2F', 'webhooks%2f'],
    rest: `\\d{15,22}${SLASH}(${W}{40,100})`,
  },
  { kind: 'matrix', starts: ['syt_'], rest: '[A-Za-z0-9_=]{20,128}', alone: true },
  { kind: 'nostr', starts: ['nsec1'], rest: '[a-z0-9]{50,64}' },
  { kind: 'teams-webhook', starts: ['webhook.office.com'], rest: `${SLASH}webhookb2${SLASH}([A-Za-z0-9@/%-]{40,256})` },
  { kind: 'telegram', starts: ['%3A', '%3a'], rest: `(?<=\\d{6}%3A|\\d{6}%3a)(${W}{34,36})(?!${W})` },
  // clouds
  { kind: 'aws', starts: ['AKIA', 'ASIA', 'ABIA', 'ACCA'], rest: '[0-9A-Z]{16}(?![0-9A-Z])' },
  { kind: 'google', starts: ['AIza'], rest: `${W}{30,45}` },
  { kind: 'google', starts: ['ya29.'], rest: '[A-Za-z0-9_.-]{20,512}' },
  { kind: 'google', starts: ['GOCSPX-'], rest: `${W}{20,64}` },
  { kind: 'google', starts: ['1//0'], rest: `${W}{30,128}` },
  { kind: 'azure', starts: ['Q~'], rest: '(?<=[A-Za-z0-9_.~-]{3}\\dQ~)[A-Za-z0-9_.~-]{31,34}', back: 4 },
  { kind: 'digitalocean', starts: ['dop_v1_', 'doo_v1_', 'dor_v1_'], rest: `${HEX}{40,80}` },
  { kind: 'tailscale', starts: ['tskey-'], rest: `${W}{10,128}` },
  { kind: 'cloudflare', starts: ['v1.0-'], rest: `${HEX}{24}-${HEX}{100,200}` },
  { kind: 'fly', starts: ['fo1_', 'fm1_', 'fm2_', 'fm1r_'], rest: '[A-Za-z0-9+/=_-]{20,512}', alone: true },
  { kind: 'netlify', starts: ['nfp_'], rest: `${AN}{30,64}`, alone: true },
  { kind: 'heroku', starts: ['HRKU-'], rest: `${W}{30,80}` },
  { kind: 'supabase', starts: ['sbp_', 'sb_secret_'], rest: '[A-Za-z0-9_]{20,80}', alone: true },
  { kind: 'planetscale', starts: ['pscale_tkn_', 'pscale_pw_', 'pscale_oauth_'], rest: '[A-Za-z0-9_.-]{20,80}' },
  { kind: 'databricks', starts: ['dapi'], rest: `${HEX}{32}`, alone: true },
  { kind: 'vault', starts: ['hvs.', 'hvb.', 'hvr.'], rest: `${W}{20,256}`, alone: true },
  { kind: 'terraform', starts: ['.atlasv1.'], rest: `(?<=${AN}{14}\\.atlasv1\\.)${W}{50,90}`, back: 14 },
  { kind: 'doppler', starts: ['dp.pt.', 'dp.st.', 'dp.ct.', 'dp.sa.'], rest: '[A-Za-z0-9_.-]{30,80}', alone: true },
  { kind: 'onepassword', starts: ['ops_ey'], rest: '[A-Za-z0-9_=-]{40,2048}' },
  { kind: 'grafana', starts: ['glsa_', 'glc_ey'], rest: '[A-Za-z0-9_+/=-]{30,512}' },
  { kind: 'newrelic', starts: ['NRAK-', 'NRII-'], rest: `${W}{20,64}` },
  // money and mail
  { kind: 'stripe', starts: ['sk_live_', 'sk_test_', 'rk_live_', 'rk_test_'], rest: `${AN}{10,256}` },
  { kind: 'stripe', starts: ['whsec_'], rest: '[A-Za-z0-9+/=]{20,128}' },
  { kind: 'square', starts: ['sq0atp-', 'sq0csp-'], rest: `${W}{20,64}` },
  { kind: 'square', starts: ['EAAA'], rest: `${W}{56,128}`, alone: true },
  { kind: 'shopify', starts: ['shpat_', 'shpss_', 'shpca_', 'shppa_'], rest: '[A-Fa-f0-9]{32}' },
  { kind: 'twilio', starts: ['SK'], rest: `${HEX}{32}(?!${AN})`, alone: true },
  { kind: 'sendgrid', starts: ['SG.'], rest: `${W}{16,32}\\.${W}{30,64}` },
  { kind: 'mailgun', starts: ['key-'], rest: `${HEX}{32}(?!${AN})`, alone: true },
  { kind: 'mailchimp', starts: ['-us'], rest: `(?<=${HEX}{32}-us)\\d{1,2}(?!${AN})`, back: 32 },
  { kind: 'resend', starts: ['re_'], rest: `${AN}{8}_${AN}{20,40}`, alone: true },
  // work
  { kind: 'notion', starts: ['ntn_'], rest: `${AN}{30,64}` },
  { kind: 'notion', starts: ['secret_'], rest: `${AN}{40,50}`, alone: true },
  { kind: 'linear', starts: ['lin_api_', 'lin_oauth_'], rest: `${AN}{30,80}` },
  { kind: 'airtable', starts: ['pat'], rest: `${AN}{14}\\.${HEX}{64}`, alone: true },
  { kind: 'figma', starts: ['figd_', 'figu_'], rest: `${W}{30,80}` },
  { kind: 'typeform', starts: ['tfp_'], rest: `${W}{30,80}`, alone: true },
  { kind: 'dropbox', starts: ['sl.'], rest: `${W}{100,2048}`, alone: true },
  { kind: 'contentful', starts: ['CFPAT-'], rest: `${W}{30,64}` },
  // not of one vendor
  { kind: 'jwt', starts: ['eyJ'], rest: `${W}{8,2048}\\.(?:eyJ)?${W}{8,4096}\\.${W}{0,1024}`, alone: true },
  {
    kind: 'private-key',
    starts: ['-----BEGIN'],
    rest: String.raw`[A-Z0-9 %+]{1,44}PRIVATE[ %20+]{1,3}KEY[A-Z0-9 %+]{0,12}-----(?:[A-Za-z0-9+/=%\s]|\\{1,4}[nrt]|[:,.-](?!----)){0,16384}(?:-----END[A-Z0-9 %+]{1,44}KEY[A-Z0-9 %+]{0,12}-----)?`,
  },
  {
    kind: 'putty-key',
    starts: ['Private-Lines: '],
    rest: String.raw`\d{1,3}((?:[A-Za-z0-9+/=\s]|\\{1,4}[nr]){1,8192})`,
  },
  { kind: 'age', starts: ['AGE-SECRET-KEY-1'], rest: '[0-9A-Z]{50,64}' },
  { kind: 'url-password', starts: ['://'], rest: String.raw`([^\s/@:"'\\<>]{0,128}:[^\s/@"'\\<>]{1,256})(?=@)` },
  {
    kind: 'bearer',
    starts: ['Bearer', 'bearer', 'BEARER'],
    rest: String.raw`(?:\s|\\t|%20|\+){1,4}([A-Za-z0-9._~+/=-]{12,4096})`,
    generated: true,
  },
  { kind: 'basic', starts: ['Basic ', 'basic '], rest: '([A-Za-z0-9+/_-]{10,1024}={0,2})', generated: true },
  {
    kind: 'flag',
    starts: ['--'],
    rest: String.raw`(?:[a-z]{1,16}-){0,3}(?:token|password|passphrase|secret|api-?key)(?:=|\s)["']?([^\s"'\\]{4,512})`,
  },
];
