/**
 * The names that cells declare, and how a later cell gets to see them.
 *
 * Each cell is checked as a module of its own. What it takes from earlier cells is written *below* its text, so that
 * every line and column above stays what the learner wrote: an import for what can't be assigned (functions, classes,
 * constants, types), a `declare let` of the same type for variables (an import couldn't be assigned to), and an
 * `export` of the cell's own names for the cells to come.
 *
 * A cell that declares a name anew shadows it. Its declaration may still use the old value, `const m = step(m)`: there
 * the old one gets the name `m$previous`, an edit of the text that is undone in every position reported.
 */
import * as ts from 'typescript';
import type { Edit } from '../messages';

/** `fixed` can't be assigned to (and may have a type of the same name), `variable` can, `type` is gone at run time. */
export type NameKind = 'fixed' | 'variable' | 'type';

/** A name at the notebook's top level and the file of the cell that declared it last. */
export interface KnownName {
  kind: NameKind;
  file: string;
}

/** What `m` is called where a cell that declares `m` anew uses the old one. */
export const PREVIOUS = '$previous';

/** The names that a top-level statement declares, in order. */
export function declaredNames(statement: ts.Statement): { name: string; kind: NameKind }[] {
  if (ts.isVariableStatement(statement)) {
    const fixed = (statement.declarationList.flags & (ts.NodeFlags.Const | ts.NodeFlags.Using)) !== 0;
    const names = statement.declarationList.declarations.flatMap((declaration) =>
      boundNames(declaration.name),
    );
    return names.map((name) => ({ name, kind: fixed ? 'fixed' : 'variable' }));
  }
  if (
    ts.isFunctionDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isEnumDeclaration(statement)
  ) {
    return statement.name ? [{ name: statement.name.text, kind: 'fixed' }] : [];
  }
  if (ts.isModuleDeclaration(statement)) {
    return ts.isIdentifier(statement.name) && !isGlobalAugmentation(statement)
      ? [{ name: statement.name.text, kind: 'fixed' }]
      : [];
  }
  if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)) {
    return [{ name: statement.name.text, kind: 'type' }];
  }
  if (ts.isImportEqualsDeclaration(statement)) return [{ name: statement.name.text, kind: 'fixed' }];
  if (ts.isImportDeclaration(statement)) return importedNames(statement);
  return [];
}

function importedNames(statement: ts.ImportDeclaration): { name: string; kind: NameKind }[] {
  const clause = statement.importClause;
  if (!clause) return [];
  const bindings = clause.namedBindings;
  const all: { name: ts.Identifier; type: boolean }[] = [];
  if (clause.name) all.push({ name: clause.name, type: false });
  if (bindings && ts.isNamespaceImport(bindings)) all.push({ name: bindings.name, type: false });
  if (bindings && ts.isNamedImports(bindings)) {
    all.push(...bindings.elements.map((element) => ({ name: element.name, type: element.isTypeOnly })));
  }
  return all.map(({ name, type }) => ({
    name: name.text,
    kind: type || clause.isTypeOnly ? 'type' : 'fixed',
  }));
}

/** The names that a binding (`a`, `{ a, b: [c] }`) binds. */
export function boundNames(binding: ts.BindingName): string[] {
  if (ts.isIdentifier(binding)) return [binding.text];
  return binding.elements.flatMap((element) =>
    ts.isBindingElement(element) ? boundNames(element.name) : [],
  );
}

/** Whether a statement changes the types of other modules: such a cell stays in the program for good. */
export function augments(statement: ts.Statement): boolean {
  return (
    ts.isModuleDeclaration(statement) &&
    (ts.isStringLiteral(statement.name) || isGlobalAugmentation(statement))
  );
}

function isGlobalAugmentation(statement: ts.ModuleDeclaration): boolean {
  return (statement.flags & ts.NodeFlags.GlobalAugmentation) !== 0;
}

/** The text of a cell as the compiler gets it, and the names that it declares. */
export interface Prepared {
  /** The edited cell, then what joins it to the others. */
  text: string;
  /** Where the edited cell ends in `text`. */
  end: number;
  edits: Edit[];
  declared: Map<string, NameKind>;
  augments: boolean;
}

/** How a cell is joined to the names known so far. */
export interface Joining {
  /**
   * A shadowed name means the old value inside functions, too: `const m = xs.map((x) => x + m)`. Only the compiler can
   * tell; a function that runs later means the new one.
   */
  inFunctions?: boolean;
  /** All known names, not only those that the cell mentions: for completion. */
  all?: boolean;
}

/** Joins a cell's code to the names known so far. */
export function prepare(
  code: string,
  known: ReadonlyMap<string, KnownName>,
  joining: Joining = {},
): Prepared {
  const parsed = ts.createSourceFile('cell.ts', code, ts.ScriptTarget.Latest, true);
  const declared = new Map<string, NameKind>();
  const exported = new Set<string>();
  for (const statement of parsed.statements) {
    const isExport =
      ts.canHaveModifiers(statement) &&
      ts.getModifiers(statement)?.some((modifier) => modifier.kind === ts.SyntaxKind.ExportKeyword);
    for (const { name, kind } of declaredNames(statement)) {
      if (declared.get(name) !== 'fixed') declared.set(name, kind);
      if (isExport) exported.add(name);
    }
  }
  const mentioned = mentionedNames(parsed);
  const edits = shadowEdits(parsed, known, joining.inFunctions ?? false);
  const wanted = [...(joining.all ? known.keys() : mentioned)].filter(
    (name) => known.has(name) && !declared.has(name),
  );
  const previous = [...new Set(edits.map((edit) => edit.name))];
  const edited = edits.length ? applyInOrder(code, edits) : code;
  const tail = [
    ...wanted.map((name) => joinName(name, name, known.get(name)!)),
    ...previous.map((name) => joinName(name, name + PREVIOUS, known.get(name)!)),
    `export { ${[...declared.keys()].filter((name) => !exported.has(name)).join(', ')} };`,
  ];
  return {
    text: `${edited}\n;${tail.join('\n')}\n`,
    end: edited.length,
    edits: edits.map(({ start, end, text }) => ({ start, end, text })),
    declared,
    augments: parsed.statements.some(augments),
  };
}

function applyInOrder(code: string, edits: readonly Edit[]): string {
  let result = '';
  let from = 0;
  for (const edit of edits) {
    result += code.slice(from, edit.start) + edit.text;
    from = edit.end;
  }
  return result + code.slice(from);
}

function joinName(name: string, as: string, { kind, file }: KnownName): string {
  const from = `'./${file.slice(file.lastIndexOf('/') + 1, -'.ts'.length)}'`;
  if (kind === 'variable') return `declare let ${as}: typeof import(${from}).${name};`;
  return `import ${kind === 'type' ? 'type ' : ''}{ ${name} as ${as} } from ${from};`;
}

function mentionedNames(file: ts.SourceFile): Set<string> {
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) names.add(node.text);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return names;
}

/** The uses of a known name that come before the end of the cell's own declaration of it, at the cell's top level. */
function shadowEdits(
  file: ts.SourceFile,
  known: ReadonlyMap<string, KnownName>,
  inFunctions: boolean,
): (Edit & { name: string })[] {
  const ends = new Map<string, number>();
  for (const statement of file.statements) {
    if (!ts.isVariableStatement(statement)) continue;
    if (!(statement.declarationList.flags & ts.NodeFlags.BlockScoped)) continue;
    for (const declaration of statement.declarationList.declarations) {
      for (const name of boundNames(declaration.name)) {
        if (known.has(name) && !ends.has(name)) ends.set(name, declaration.end);
      }
    }
  }
  const edits: (Edit & { name: string })[] = [];
  if (ends.size === 0) return edits;
  const visit = (node: ts.Node): void => {
    const isFunction = ts.isFunctionLike(node) || ts.isClassLike(node);
    if (isFunction && (!inFunctions || ts.isStatement(node) || ts.isVariableDeclaration(node.parent))) return;
    if (ts.isIdentifier(node) && isUse(node)) {
      const name = node.text;
      if (node.getStart() < (ends.get(name) ?? -1)) {
        const text = ts.isShorthandPropertyAssignment(node.parent)
          ? `${name}: ${name}${PREVIOUS}`
          : name + PREVIOUS;
        edits.push({ start: node.getStart(), end: node.end, text, name });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return edits;
}

/** Whether an identifier stands for a value in scope, as against a property, a label or the name of a declaration. */
export function isUse(id: ts.Identifier): boolean {
  const parent = id.parent;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === id;
  if (ts.isPropertyAssignment(parent) || ts.isEnumMember(parent)) return parent.initializer === id;
  if (ts.isShorthandPropertyAssignment(parent))
    return parent.name === id || parent.objectAssignmentInitializer === id;
  if (ts.isBindingElement(parent) || ts.isVariableDeclaration(parent) || ts.isParameter(parent)) {
    return parent.initializer === id;
  }
  if (ts.isPropertyDeclaration(parent)) return parent.initializer === id;
  if (ts.isQualifiedName(parent)) return false;
  if (ts.isTypeQueryNode(parent) || ts.isExpressionWithTypeArguments(parent)) return true;
  if (ts.isTypeNode(parent) || ts.isMetaProperty(parent)) return false;
  if (ts.isLabeledStatement(parent) || ts.isBreakOrContinueStatement(parent)) return false;
  if (ts.isImportSpecifier(parent) || ts.isExportSpecifier(parent) || ts.isImportClause(parent)) return false;
  if (ts.isNamespaceImport(parent) || ts.isNamespaceExport(parent) || ts.isImportEqualsDeclaration(parent))
    return false;
  if (ts.isExportAssignment(parent)) return true;
  return !(
    ts.isDeclarationStatement(parent) ||
    ts.isClassElement(parent) ||
    ts.isTypeElement(parent) ||
    ts.isTypeParameterDeclaration(parent) ||
    ts.isFunctionExpression(parent) ||
    ts.isClassExpression(parent)
  );
}
