/** The app's texts, which azionelab/checkin/texts/app_texts.py embeds in the page. */

type Form = string | Readonly<Record<string, string>>;

export type TextValues = Readonly<Record<string, string | number>>;

interface Table {
  readonly locale: string;
  readonly time_zone: string;
  readonly tones: Readonly<Record<string, string>>;
  readonly words: Readonly<Record<string, Form>>;
}

export class Texts {
  private readonly table: Table;
  private readonly plurals: Intl.PluralRules;
  private readonly clocks: Intl.DateTimeFormat;
  private readonly days: Intl.DateTimeFormat;
  private readonly dates: Intl.DateTimeFormat;

  constructor(table: Table) {
    this.table = table;
    this.plurals = new Intl.PluralRules(table.locale);
    const place = { timeZone: table.time_zone };
    const clock = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
    this.clocks = new Intl.DateTimeFormat(table.locale, { ...place, ...clock });
    this.days = new Intl.DateTimeFormat(table.locale, { ...place, dateStyle: "full" });
    this.dates = new Intl.DateTimeFormat(table.locale, { ...place, day: "numeric", month: "short" });
  }

  static of(page: Document): Texts {
    return new Texts(JSON.parse(page.querySelector("[data-words]")!.textContent!) as Table);
  }

  /** How a verdict looks and sounds. */
  tone(kind: string): string {
    return this.table.tones[kind] ?? "bad";
  }

  has(name: string): boolean {
    return name in this.table.words;
  }

  /** The text of that name, filled in; `num` chooses the plural form. */
  get(name: string, facts: TextValues = {}): string {
    const form = this.table.words[name];
    if (form === undefined) throw new Error(`no words for ${name}`);
    const text =
      typeof form === "string"
        ? form
        : (form[this.plurals.select(Number(facts["num"]))] ?? form["other"]!);
    return text.replace(/\{(\w+)\}/g, (_, place: string) => String(facts[place] ?? ""));
  }

  /** The time of day, in the theatre's time zone. */
  clock(moment: Date | string): string {
    return this.clocks.format(new Date(moment));
  }

  day(moment: Date | string): string {
    return this.days.format(new Date(moment));
  }

  /** The short date: "3 Dec". */
  date(moment: Date | string): string {
    return this.dates.format(new Date(moment));
  }

  /** Full date and time. */
  when(moment: Date | string): string {
    return `${this.day(moment)}, ${this.clock(moment)}`;
  }
}
