import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { useState } from "react";
import { afterEach, describe, expect, it } from "vitest";
import { initialValue, paramsOf, type Schema } from "@/schema/schema";
import { validate } from "@/schema/validate";
import { SchemaForm } from "./schema-form";

const schema: Schema = {
  $ref: "#/$defs/P",
  $defs: {
    P: {
      type: "object",
      properties: {
        name: { type: "string", description: "Whom it is for." },
        count: { type: "integer", default: 3 },
        delay_s: { anyOf: [{ type: "number" }, { type: "null" }], default: null },
        force: { type: "boolean", default: false },
        signal: { enum: ["TERM", "KILL"], default: "TERM" },
        kwargs: { type: "object" },
        limits: { $ref: "#/$defs/Limits" },
      },
      required: ["name", "kwargs"],
    },
    Limits: { type: "object", properties: { soft: { type: "integer", default: 1 } } },
  },
};

let sent: unknown;
let pointers: string[];

function Host() {
  const [value, setValue] = useState(() => initialValue(schema, schema, true));
  const faults = validate(schema, schema, value, true);
  sent = paramsOf(schema, schema, value);
  pointers = faults.map(({ pointer }) => pointer);
  return <SchemaForm schema={schema} value={value} onChange={setValue} faults={faults} />;
}

const type = (label: string | RegExp, value: string) =>
  fireEvent.change(screen.getByLabelText(label), { target: { value } });

describe("SchemaForm", () => {
  afterEach(cleanup);

  it("draws a labelled control for each property, also inside an object", () => {
    render(<Host />);
    for (const label of ["Name", "Count", "Delay", "Force", "Signal", "Kwargs", "Soft"]) {
      expect(screen.getByLabelText(label)).toBeTruthy();
    }
    expect(screen.getByText("Whom it is for.")).toBeTruthy();
    expect(screen.getByText("In seconds.")).toBeTruthy();
    expect(pointers).toEqual(["/name"]);
  });

  it("sends what was typed, with the right types", () => {
    render(<Host />);
    type("Name", "ann");
    type("Count", "12");
    type("Delay", "1.5");
    type("Force", "0");
    type("Signal", "1");
    type("Kwargs", '{"a": [1]}');
    expect(sent).toEqual({
      name: "ann", count: 12, delay_s: 1.5, force: true, signal: "KILL", kwargs: { a: [1] }, limits: {},
    });
    expect(pointers).toEqual([]);
  });

  it("says what is wrong at its place and keeps the text", () => {
    render(<Host />);
    type("Name", "ann");
    type("Kwargs", '{"a":');
    expect(pointers).toEqual(["/kwargs"]);
    const editor = screen.getByLabelText<HTMLTextAreaElement>("Kwargs");
    expect(editor.value).toBe('{"a":');
    expect(editor.getAttribute("aria-invalid")).toBe("true");
    type("Kwargs", "[1]");
    expect(screen.getByText(/must be a JSON object/)).toBeTruthy();
  });

  it("leaves out what was emptied", () => {
    render(<Host />);
    type("Name", "ann");
    type("Delay", "2");
    type("Delay", "");
    expect(sent).toEqual({ name: "ann", kwargs: {}, limits: {} });
  });
});
