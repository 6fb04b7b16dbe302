// Owns `npm run build`: installs what is missing and builds dist/ anew, whichever Node it is started with.
'use strict';
const { main, prepare } = require('./prepare.cjs');

main(() => prepare({ rebuild: true }));
