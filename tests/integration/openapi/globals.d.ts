// What client.ts uses of Node.js, whose own types are a large package.
declare const process: { argv: string[] };
