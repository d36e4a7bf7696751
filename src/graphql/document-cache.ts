// Remembers parsed documents, so that clients which repeat themselves are neither parsed nor validated twice. Yoga has
// the like, which builds the names of all rules into a key at every request. performance.md.
// Invariant: bounded by what it holds, not only by how many: a caller must not be able to fill memory.

import type { DocumentNode } from 'graphql';
import type { Plugin } from 'graphql-yoga';

const mostDocuments = 1_000;
const longestSource = 8_192;

/** Yoga plugin. One schema, and the same rules for everybody: what was valid once stays so. */
export function useDocumentCache(): Plugin {
  const documents = new Map<string, DocumentNode>();
  const valid = new WeakSet<DocumentNode>();

  function find(source: string): DocumentNode | undefined {
    const document = documents.get(source);
    // The least recently used goes first.
    if (document && documents.size > mostDocuments / 2) {
      documents.delete(source);
      documents.set(source, document);
    }
    return document;
  }

  function keep(source: string, document: DocumentNode): void {
    if (source.length > longestSource) return;
    if (documents.size >= mostDocuments) documents.delete(documents.keys().next().value as string);
    documents.set(source, document);
  }

  return {
    onParse({ params, setParsedDocument }) {
      const source = String(params.source);
      const known = find(source);
      if (known) return setParsedDocument(known);
      return ({ result }) => {
        if (result && !(result instanceof Error)) keep(source, result);
      };
    },
    onValidate({ params, setResult }) {
      const document = params.documentAST;
      if (valid.has(document)) return setResult([]);
      return ({ valid: isValid }) => {
        if (isValid) valid.add(document);
      };
    },
  };
}
