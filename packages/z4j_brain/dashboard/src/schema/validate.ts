import { ExactNumber } from "@/services/exact-json";
import { isObject, type Schema, shapeOf, Unreadable } from "./schema";

export interface Fault {
  /** JSON pointer of the place, "" for the whole. */
  pointer: string;
  message: string;
}

/** What the form can tell before the brain does; the brain validates again and decides. */
export function validate(
  place: Schema,
  root: Schema,
  value: unknown,
  required: boolean,
  pointer = "",
): Fault[] {
  const fault = (message: string): Fault[] => [{ pointer, message }];
  if (value instanceof Unreadable) return fault(value.message);
  const { kind, nullable, schema, options } = shapeOf(place, root);
  if (value === undefined) return required ? fault("This is needed.") : [];
  if (value === null) return nullable ? [] : fault("This is needed.");
  switch (kind) {
    case "string":
      return text(schema, value).flatMap(fault);
    case "number":
    case "integer":
      return number(kind, schema, value).flatMap(fault);
    case "boolean":
      return typeof value === "boolean" ? [] : fault("Choose yes or no.");
    case "enum":
      return options.includes(value) ? [] : fault("Choose one of the list.");
    case "array":
      return list(schema, value).flatMap(fault);
    case "object":
      return isObject(value) ? [] : fault("This must be a JSON object, like {\"a\": 1}.");
    case "fields":
      return fields(schema, root, value, pointer);
    default:
      return [];
  }
}

function fields(schema: Schema, root: Schema, value: unknown, pointer: string): Fault[] {
  if (!isObject(value)) return [{ pointer, message: "This must be a JSON object." }];
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) =>
    validate(
      property,
      root,
      value[name],
      schema.required?.includes(name) ?? false,
      `${pointer}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`,
    ),
  );
}

function text(schema: Schema, value: unknown): string[] {
  if (typeof value !== "string") return ["This must be text."];
  if (schema.minLength !== undefined && value.length < schema.minLength) {
    return [schema.minLength === 1 ? "This is needed." : `At least ${schema.minLength} characters.`];
  }
  if (schema.maxLength !== undefined && value.length > schema.maxLength) {
    return [`At most ${schema.maxLength} characters.`];
  }
  if (schema.pattern !== undefined && !fits(schema.pattern, value)) {
    return [`This must fit ${schema.pattern}.`];
  }
  return [];
}

function fits(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern, "u").test(value);
  } catch {
    return true; // A pattern of another dialect; the brain judges.
  }
}

function number(kind: "number" | "integer", schema: Schema, value: unknown): string[] {
  const size = value instanceof ExactNumber ? Number(value.source) : value;
  if (typeof size !== "number" || Number.isNaN(size)) return ["This must be a number."];
  if (kind === "integer" && !Number.isInteger(size)) return ["This must be a whole number."];
  if (schema.minimum !== undefined && size < schema.minimum) return [`At least ${schema.minimum}.`];
  if (schema.maximum !== undefined && size > schema.maximum) return [`At most ${schema.maximum}.`];
  if (schema.exclusiveMinimum !== undefined && size <= schema.exclusiveMinimum) {
    return [`More than ${schema.exclusiveMinimum}.`];
  }
  if (schema.exclusiveMaximum !== undefined && size >= schema.exclusiveMaximum) {
    return [`Less than ${schema.exclusiveMaximum}.`];
  }
  return [];
}

function list(schema: Schema, value: unknown): string[] {
  if (!Array.isArray(value)) return ["This must be a JSON array, like [1, 2]."];
  if (schema.minItems !== undefined && value.length < schema.minItems) {
    return [`At least ${schema.minItems} items.`];
  }
  if (schema.maxItems !== undefined && value.length > schema.maxItems) {
    return [`At most ${schema.maxItems} items.`];
  }
  return [];
}
