import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type FormEvent, useId, useState } from "react";
import { Button, buttonVariants } from "@/components/ui/button";
import { Dialog, DialogBody, DialogFooter } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { faultOf, RemoteFault } from "@/components/ui/remote-fault";
import { useReadSession } from "@/hooks/use-read-session";
import { createProject, instanceKeys } from "@/services/instance";
import { slugOf } from "./slug";

/** Makes a project, and leads to the page that connects its first application. */
export function ProjectDialog({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const readSession = useReadSession();
  const formId = useId();
  const [form, setForm] = useState({ name: "", slug: "" });
  const send = useMutation({
    mutationFn: () => createProject({ name: form.name, slug: form.slug || null }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: instanceKeys.projects });
      await readSession();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send.mutate();
  };
  const made = send.isSuccess ? send.data : null;
  return (
    <Dialog open onClose={onClose} title={made ? `${made.name} is made` : "New project"}>
      <DialogBody>
        {made ? (
          <p className="text-ink-2">
            Its address is <span className="mono">{made.slug}</span>, and you are its first admin. Nothing reports to it
            yet: an application needs a token of this project.
          </p>
        ) : (
          <form id={formId} onSubmit={submit} className="flex flex-col gap-3">
            <Field label="Name" fault={faultOf(send.error, "/name")}>
              {(ids) => (
                <Input
                  {...ids}
                  name="project-name"
                  autoComplete="off"
                  required
                  maxLength={100}
                  value={form.name}
                  onChange={(event) => setForm({ ...form, name: event.target.value })}
                />
              )}
            </Field>
            <Field
              label="Address"
              optional
              fault={faultOf(send.error, "/slug")}
              hint="Stands in links and in the API, and never changes. Small letters, digits and dashes."
            >
              {(ids) => (
                <Input
                  {...ids}
                  name="project-slug"
                  className="mono"
                  autoComplete="off"
                  spellCheck={false}
                  maxLength={60}
                  placeholder={slugOf(form.name)}
                  value={form.slug}
                  onChange={(event) => setForm({ ...form, slug: event.target.value })}
                />
              )}
            </Field>
            <RemoteFault error={send.error} fields={["/name", "/slug"]} />
          </form>
        )}
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>Close</Button>
        {made ? (
          <Link
            to="/p/$project/connect"
            params={{ project: made.slug }}
            onClick={onClose}
            className={buttonVariants({ variant: "primary" })}
          >
            Connect an application
          </Link>
        ) : (
          <Button type="submit" form={formId} variant="primary" disabled={send.isPending || !form.name.trim()}>
            {send.isPending ? "Making it …" : "Make the project"}
          </Button>
        )}
      </DialogFooter>
    </Dialog>
  );
}
