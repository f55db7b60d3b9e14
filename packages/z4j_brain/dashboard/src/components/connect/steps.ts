/** What somebody's application is made of, as far as connecting it differs. */
export type EngineChoice = "celery" | "own";
export type FrameworkChoice = "none";

export interface Choice<T extends string> {
  value: T;
  label: string;
  title?: string;
}

export const ENGINES: readonly Choice<EngineChoice>[] = [
  { value: "celery", label: "Celery" },
  { value: "own", label: "Your own", title: "A queue of your own, with a z4j plugin for it" },
];
export const FRAMEWORKS: readonly Choice<FrameworkChoice>[] = [{ value: "none", label: "None" }];

interface Recipe {
  packages: string[];
  /** The last lines of the block: how the worker starts with z4j in it. */
  start: string[];
  /** The same by one line of code, and where it goes. */
  code: { lead: string; text: string } | null;
}

const RECIPES: Record<EngineChoice, Recipe> = {
  celery: {
    packages: ["z4j-celery"],
    start: ["celery -A yourapp worker --include z4j_celery.auto"],
    code: {
      lead: "Or leave the command as it is and put one line into the module of your Celery app. The processes that send tasks then report, too, as long as they have both variables.",
      text: "import z4j_celery.auto",
    },
  },
  own: {
    packages: ["z4j-agent", "your-z4j-plugin"],
    start: ["python -m yourworker"],
    code: {
      lead: "Call this where your worker starts. It finds your plugin by its entry point in the group “z4j”, and does nothing while Z4J_URL is not set.",
      text: "import z4j_agent\n\nz4j_agent.register()",
    },
  },
};

/** The two variables that an agent needs; `quote` keeps any address one word of the shell. */
export function variables(url: string, token: string): string {
  return `export Z4J_URL=${quote(url)}\nexport Z4J_TOKEN=${quote(token)}`;
}

/** Everything to paste into a shell, from nothing to a connected worker. */
export function connectBlock(engine: EngineChoice, url: string, token: string): string {
  const { packages, start } = RECIPES[engine];
  return [`pip install ${packages.join(" ")}`, variables(url, token), ...start].join("\n");
}

export function codeAlternative(engine: EngineChoice): Recipe["code"] {
  return RECIPES[engine].code;
}

/** Plain where it may be, so that the block stays easy to read. */
export function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
