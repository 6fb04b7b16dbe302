// Owns how the page is built: hashed files of our own, nothing inline and nothing from a third party, so that the
// gateway can serve it under a policy that allows neither.
import { defineConfig } from 'vite';
import manifest from '../package.json' with { type: 'json' };

export default defineConfig({
  root: import.meta.dirname,
  base: './',
  define: { __VERSION__: JSON.stringify(manifest.version) },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../dist/ui',
    emptyOutDir: true,
    target: 'es2022',
    // An inlined asset would be a data: URL in the style sheet; a polyfill would be a script we did not write.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
  },
  server: { port: 18790, strictPort: true },
});
