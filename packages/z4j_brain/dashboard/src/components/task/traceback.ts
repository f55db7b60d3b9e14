export interface Frame {
  /** "worker.py:12 in run" with the file's last parts. */
  place: string;
  path: string;
  code: string[];
  /** Inside an installed package or the standard library, hence folded. */
  isLibrary: boolean;
}

export type TracebackPart = { kind: "frames"; frames: Frame[]; isLibrary: boolean } | { kind: "text"; text: string };

const FRAME = /^\s*File "(.+)", line (\d+), in (.+)$/;
const LIBRARY = /site-packages|dist-packages|[\\/]lib[\\/]python\d|<frozen /;
const MOST_LINES = 2_000;

/** Splits a Python traceback into runs of frames, of the application's and of libraries, and
 * what stands between them. Anything else comes back as text. */
export function readTraceback(text: string): TracebackPart[] {
  const parts: TracebackPart[] = [];
  let frame: Frame | null = null;
  for (const line of text.split("\n").slice(0, MOST_LINES)) {
    const found = FRAME.exec(line);
    if (found) {
      frame = newFrame(found);
      addFrame(parts, frame);
    } else if (frame && /^\s{4,}\S/.test(line)) {
      frame.code.push(line.trim());
    } else {
      frame = null;
      addText(parts, line);
    }
  }
  return parts;
}

function newFrame([, path = "", line = "", name = ""]: RegExpExecArray): Frame {
  const short = path.split(/[\\/]/).slice(-2).join("/");
  return { place: `${short}:${line} in ${name}`, path: `${path}:${line}`, code: [], isLibrary: LIBRARY.test(path) };
}

function addFrame(parts: TracebackPart[], frame: Frame): void {
  const last = parts.at(-1);
  if (last?.kind === "frames" && last.isLibrary === frame.isLibrary) last.frames.push(frame);
  else parts.push({ kind: "frames", frames: [frame], isLibrary: frame.isLibrary });
}

function addText(parts: TracebackPart[], line: string): void {
  if (line.trim() === "") return;
  const last = parts.at(-1);
  if (last?.kind === "text") last.text += `\n${line}`;
  else parts.push({ kind: "text", text: line });
}
