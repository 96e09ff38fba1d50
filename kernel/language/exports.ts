/**
 * `export` in a cell is allowed and means nothing: what a cell declares, all cells see. Here it is taken away, and
 * what is only valid behind it becomes what is valid without.
 */
import * as ts from 'typescript';

const f = ts.factory;

/** A top-level declaration without `export` and `default`. A nameless one (`export default class {}`) is its value. */
export function withoutExport(node: ts.Statement): ts.Statement {
  const isExported = ts.canHaveModifiers(node) && hasModifier(node, ts.SyntaxKind.ExportKeyword);
  if (!isExported) return node;
  const modifiers = node.modifiers?.filter(
    ({ kind }) => kind !== ts.SyntaxKind.ExportKeyword && kind !== ts.SyntaxKind.DefaultKeyword,
  );
  if (ts.isVariableStatement(node)) return f.updateVariableStatement(node, modifiers, node.declarationList);
  if (ts.isFunctionDeclaration(node)) return functionStatement(node, modifiers);
  if (ts.isClassDeclaration(node)) {
    const { name, typeParameters, heritageClauses, members } = node;
    if (name)
      return f.updateClassDeclaration(node, modifiers, name, typeParameters, heritageClauses, members);
    const value = f.createClassExpression(modifiers, name, typeParameters, heritageClauses, members);
    return valueStatement(value, node);
  }
  if (ts.isEnumDeclaration(node)) return f.updateEnumDeclaration(node, modifiers, node.name, node.members);
  if (ts.isModuleDeclaration(node)) return f.updateModuleDeclaration(node, modifiers, node.name, node.body);
  return node;
}

function functionStatement(
  node: ts.FunctionDeclaration,
  modifiers: ts.ModifierLike[] | undefined,
): ts.Statement {
  const { asteriskToken, name, typeParameters, parameters, type, body } = node;
  if (name) {
    const rest = [asteriskToken, name, typeParameters, parameters, type, body] as const;
    return f.updateFunctionDeclaration(node, modifiers, ...rest);
  }
  if (!body) return f.createEmptyStatement();
  const plain = modifiers?.filter(ts.isModifier);
  const rest = [asteriskToken, name, typeParameters, parameters, type, body] as const;
  return valueStatement(f.createFunctionExpression(plain, ...rest), node);
}

function valueStatement(value: ts.Expression, node: ts.Statement): ts.Statement {
  const statement = f.createExpressionStatement(f.createParenthesizedExpression(value));
  return ts.setTextRange(statement, node);
}

/** Whether a declaration has a modifier. */
export function hasModifier(node: ts.HasModifiers, kind: ts.SyntaxKind): boolean {
  return ts.getModifiers(node)?.some((modifier) => modifier.kind === kind) ?? false;
}
