/** A piece of a template: text as it is, or the property whose value stands there. */
export type TemplatePart = { readonly text: string } | { readonly property: string };

/** The pieces of a template; null when a brace has no partner, or nothing between it and its partner. */
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
