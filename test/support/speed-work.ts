// Owns a fixed piece of work of the kind that a gateway does: text, JSON, patterns, hashes, SQL, many short-lived objects.
// It prints the milliseconds of processor that it took, and must stay as it is: budgets of time are read against it.
import { createHash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';

const db = new DatabaseSync(':memory:');
db.exec('CREATE TABLE rows (id INTEGER PRIMARY KEY, body TEXT, hash TEXT)');
const put = db.prepare('INSERT INTO rows (body, hash) VALUES (?, ?)');
const get = db.prepare('SELECT body FROM rows WHERE id = ?');
let kept = 0;
for (let n = 0; n < 3_000; n += 1) {
  const words = Array.from({ length: 120 }, (_, i) => `word${(n * 31 + i * 17) % 997}`);
  const text = JSON.stringify({ n, words, nested: words.map((word, i) => ({ word, i, isThird: i % 3 === 0 })) });
  const back = JSON.parse(text) as { nested: unknown[] };
  const found = text.replace(/word(\d+)/g, (_, digits: string) => `w${digits}`).match(/w\d*7\b/g) ?? [];
  put.run(text, createHash('sha256').update(text).digest('hex'));
  kept += found.length + back.nested.length + String(get.get((n % 500) + 1)?.['body']).length;
}
if (kept === 0) throw new Error('nothing was done');
const { user, system } = process.cpuUsage();
console.log((user + system) / 1_000);
