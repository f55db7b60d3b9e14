import { expect, test } from "vitest";
import type { KeyView } from "@/services/keys";
import { merged, networksOf } from "./merged";

const key = (id: string, project: string | null): KeyView => ({
  id,
  project,
  name: id,
  owner: "ada@example.org",
  scopes: [],
  networks: [],
  created_at: "2026-01-01T00:00:00Z",
  expires_at: null,
  last_used_at: null,
  last_address: null,
});

test("keys are listed once, and not those of other projects", () => {
  const own = [key("a", "shop"), key("b", null), key("c", "other")];
  const others = [key("a", "shop"), key("d", "shop")];
  expect(merged(own, others, "shop").map(({ id }) => id)).toEqual(["a", "b", "d"]);
});

test("networks are read whatever stands between them", () => {
  expect(networksOf(" 192.0.2.0/24, 2001:db8::/32\n198.51.100.7 ,")).toEqual([
    "192.0.2.0/24",
    "2001:db8::/32",
    "198.51.100.7",
  ]);
  expect(networksOf(" ")).toEqual([]);
});
