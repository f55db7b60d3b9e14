import { useMemo, useState } from "react";
import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { type Frame, readTraceback } from "./traceback";

/** Type and message first; the application's frames open, those of libraries folded. */
export function TracebackView({ type, message, traceback }: { type: string | null; message: string | null; traceback: string | null }) {
  const [isRaw, setRaw] = useState(false);
  return (
    <div className="p-3">
      <div className="flex items-start gap-2">
        <p className="min-w-0 flex-1 break-words" data-testid="exception">
          <span className="mono font-semibold text-bad">{type ?? "Failed"}</span>
          {message && <span className="text-ink">: {message}</span>}
        </p>
        {traceback && (
          <>
            <Button size="sm" variant="ghost" aria-pressed={isRaw} onClick={() => setRaw(!isRaw)}>
              {isRaw ? "Folded" : "As text"}
            </Button>
            <CopyButton text={traceback} label="Copy the traceback" />
          </>
        )}
      </div>
      {traceback && (isRaw ? <Raw text={traceback} /> : <Frames text={traceback} />)}
    </div>
  );
}

function Raw({ text }: { text: string }) {
  return <pre tabIndex={0} className="mt-2 max-h-96 overflow-auto rounded-md bg-code p-3 leading-4.5">{text}</pre>;
}

function Frames({ text }: { text: string }) {
  const parts = useMemo(() => {
    const all = readTraceback(text);
    // The last line repeats type and message, which stand above.
    return all.length > 1 && all.at(-1)?.kind === "text" ? all.slice(0, -1) : all;
  }, [text]);
  return (
    <div className="mt-2 overflow-hidden rounded-md border border-line bg-code text-xs" data-testid="traceback">
      {parts.map((part, index) => {
        if (part.kind === "text") {
          return (
            <pre key={index} className="border-b border-line px-3 py-1 break-words whitespace-pre-wrap text-ink-3 last:border-0">
              {part.text}
            </pre>
          );
        }
        if (!part.isLibrary) return part.frames.map((frame, at) => <FrameView key={`${index}-${at}`} frame={frame} />);
        return (
          <details key={index} className="border-b border-line last:border-0">
            <summary className="px-3 py-1 text-ink-3 hover:text-ink">
              {part.frames.length} {part.frames.length === 1 ? "frame" : "frames"} in libraries
            </summary>
            {part.frames.map((frame, at) => (
              <FrameView key={at} frame={frame} />
            ))}
          </details>
        );
      })}
    </div>
  );
}

function FrameView({ frame }: { frame: Frame }) {
  return (
    <div className="border-b border-line px-3 py-1.5 last:border-0">
      <div className={frame.isLibrary ? "mono text-ink-3" : "mono text-ink-2"} title={frame.path}>
        {frame.place}
      </div>
      {frame.code.length > 0 && (
        <pre className="break-words whitespace-pre-wrap text-ink">{frame.code.join("\n")}</pre>
      )}
    </div>
  );
}
