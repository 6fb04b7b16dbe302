// Owns how node:http is loaded. An `import` of it reads every export, and one of them brings in the whole fetch
// implementation: fourteen megabytes and a third of the start, for a server that never fetches.

export const http = process.getBuiltinModule('node:http');
