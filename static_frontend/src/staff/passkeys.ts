/** Passkeys: before a form with data-passkey is sent, the browser makes or uses one, and its answer goes along.
 *
 * The forms are hidden in browsers that cannot do it.
 */

interface Passkeys {
  parseCreationOptionsFromJSON(options: unknown): PublicKeyCredentialCreationOptions;
  parseRequestOptionsFromJSON(options: unknown): PublicKeyCredentialRequestOptions;
}

export function enablePasskeys(page: Document): void {
  const passkeys = findPasskeys();
  if (passkeys === undefined) return;
  for (const note of page.querySelectorAll<HTMLElement>("[data-no-passkeys]")) note.hidden = true;
  for (const form of page.querySelectorAll<HTMLFormElement>("form[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void send(form, passkeys);
    });
  }
}

/** The browser's functions, if it has them: Chrome 129, Firefox 119, Safari 18.4. */
function findPasskeys(): Passkeys | undefined {
  if (!("PublicKeyCredential" in window)) return undefined;
  const found = window.PublicKeyCredential as unknown as Partial<Passkeys>;
  const complete = found.parseCreationOptionsFromJSON && found.parseRequestOptionsFromJSON;
  return complete ? (found as Passkeys) : undefined;
}

async function send(form: HTMLFormElement, passkeys: Passkeys): Promise<void> {
  const problem = form.querySelector<HTMLElement>("[data-problem]");
  if (problem) problem.hidden = true;
  try {
    const credential = await ask(form, passkeys);
    form.querySelector<HTMLInputElement>("[name=credential]")!.value = JSON.stringify(credential);
  } catch {
    // Cancelled, or there is none: browsers do not say which.
    if (problem) problem.hidden = false;
    return;
  }
  form.submit();
}

async function ask(form: HTMLFormElement, passkeys: Passkeys): Promise<unknown> {
  const options: unknown = JSON.parse(form.dataset["options"] ?? "");
  const { credentials } = navigator;
  const credential =
    form.dataset["passkey"] === "create"
      ? await credentials.create({ publicKey: passkeys.parseCreationOptionsFromJSON(options) })
      : await credentials.get({ publicKey: passkeys.parseRequestOptionsFromJSON(options) });
  if (credential === null) throw new Error("no credential");
  return (credential as PublicKeyCredential).toJSON();
}

enablePasskeys(document);
