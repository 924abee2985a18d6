// All of node that ask.ts uses.
declare const process: { argv: string[] };
