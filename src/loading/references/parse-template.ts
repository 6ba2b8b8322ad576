/** A part of a template: literal text, or the property whose value replaces it. */
export type TemplatePart = { readonly text: string } | { readonly property: string };

/** Returns the parts of a template; null when a brace is unmatched, or braces hold no name. */
export function parseTemplate(template: string): TemplatePart[] | null {
  const parts: TemplatePart[] = [];
  let text = '';
  for (const [piece, property] of template.matchAll(/\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+/g)) {
    if (piece === '{' || piece === '}' || property?.trim() === '') return null;
    if (property === undefined) {
      text += piece === '{{' || piece === '}}' ? piece.charAt(0) : piece;
      continue;
    }
    if (text !== '') parts.push({ text });
    parts.push({ property: property.trim() });
    text = '';
  }
  if (text !== '') parts.push({ text });
  return parts;
}
