// Remembers parsed documents, so that clients which repeat themselves are neither parsed nor validated twice.
// performance.md. Invariant: bounded by what it holds, not only by how many: a caller must not be able to fill memory.

import type { DocumentNode } from 'graphql';

const mostDocuments = 1_000;
const longestSource = 8_192;

/** A cache of the shape that Yoga wants; the least recently used document goes first. */
export function createDocumentCache() {
  const documents = new Map<string, DocumentNode>();
  return {
    get(source: string): DocumentNode | undefined {
      const document = documents.get(source);
      if (document && documents.size > mostDocuments / 2) {
        documents.delete(source);
        documents.set(source, document);
      }
      return document;
    },
    set(source: string, document: DocumentNode): void {
      if (source.length > longestSource) return;
      if (documents.size >= mostDocuments) documents.delete(documents.keys().next().value as string);
      documents.set(source, document);
    },
  };
}
