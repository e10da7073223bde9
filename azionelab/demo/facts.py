"""What the pages of the invented shows tell beside their summaries, in Italian and English."""

from typing import Any

DIRECTIONS = {
    "it": "Autobus 14 e 19, fermata *Gelsi*. Dalla stazione sono venti minuti a piedi, sotto i portici.\n\n"
    "Le biciclette si legano in cortile.",
    "en": "Buses 14 and 19, stop *Gelsi*. It is a walk of twenty minutes from the station, under the arcades.\n\n"
    "There are bicycle stands in the courtyard.",
}
POINT = (44.4938, 11.3387)
ACCESS_NOTES = {
    "it": "L'ingresso senza gradini è in **via dei Gelsi 16**. Scriveteci se vi serve aiuto: vi aspettiamo alla porta.",
    "en": "The entrance without steps is at **via dei Gelsi 16**. Write to us if you need help: we wait at the door.",
}
_EVERYWHERE: dict[str, Any] = {
    "wheelchair": True,
    "companion": True,
    "doors_minutes": 30,
    "access_notes": ACCESS_NOTES,
    "spoken_language": "it",
}
_OWN: dict[str, dict[str, Any]] = {
    "novantanove-gradini": {
        "titles": {"en": "Ninety-nine steps"},
        "summaries": {
            "en": "A block of flats, a broken lift, nine tenants who had never looked at each other."
        },
        "description": "L'ascensore si ferma un lunedì. Da quel giorno la signora del sesto piano sale a piedi,"
        " e a ogni pianerottolo *qualcuno* apre la porta.\n\nUna commedia sulle scale, che dura quanto la salita:\n\n"
        "- primo piano: i buongiorno\n- terzo piano: i segreti\n- sesto piano: **la festa**",
        "descriptions": {
            "en": "The lift stops on a Monday. From that day the lady of the sixth floor climbs the stairs, and on each"
            " landing *somebody* opens a door.\n\nA comedy on a staircase, as long as the climb:\n\n"
            "- first floor: good mornings\n- third floor: secrets\n- sixth floor: **the party**"
        },
        "credits": {
            "it": "Testo e regia: Lucio Zamboni\nCon: Piera Landi, Ottavio Serra, Mina Costa\nScene: Delia Fabbri\n"
            "Luci: Aldo Prete",
            "en": "Written and directed by: Lucio Zamboni\nWith: Piera Landi, Ottavio Serra, Mina Costa\n"
            "Set: Delia Fabbri\nLight: Aldo Prete",
        },
        "press": "Si ride fino al quinto piano; al sesto non si ride più, e si è contenti.\n— Il Corriere della Bassa",
        "surtitles": "en",
    },
    "la-sarta-e-il-generale": {
        "titles": {"en": "The seamstress and the general"},
        "summaries": {
            "en": "A comedy in two acts. A uniform to take in at the waist, a war to lose with grace."
        },
        "credits": {
            "it": "Regia: Anselmo Riva\nCon: Teresa Galli, Corrado Vinci\nCostumi: Nives Orsi"
        },
        "loud_noise": True,
        "age_from": 10,
    },
    "quel-treno-per-ferrara": {
        "titles": {"en": "That train to Ferrara"},
        "summaries": {
            "en": "Three strangers, one compartment, the fog. From the story by Irma Valdesi."
        },
        "credits": {
            "it": "Dal racconto di: Irma Valdesi\nRegia: Lucio Zamboni\nCon: Ada Melli, Bruno Tosi, Elio Ferri"
        },
        "haze": True,
        "press": "La nebbia è la quarta attrice, e la più brava.\n— Quaderni di scena\n\n"
        "Novanta minuti senza un respiro di troppo.\n— Radio Portico",
    },
    "il-cortile-delle-zagare": {
        "titles": {"en": "The courtyard of orange blossoms"},
        "summaries": {
            "en": "Palermo, one summer. Four sisters open the house they had promised not to open again."
        },
        "description": "La casa è chiusa da vent'anni. Le quattro sorelle tornano per *una notte sola*, a dividersi i"
        " mobili; nel cortile gli aranci sono di nuovo in fiore, e nessuno li ha innaffiati.\n\n## La compagnia\n\n"
        "Le quattro attrici recitano insieme dal 2009.",
        "descriptions": {
            "en": "The house has been shut for twenty years. The four sisters come back for *one night only*, to share"
            " out the furniture; in the courtyard the orange trees are in blossom again, and nobody watered them.\n\n"
            "## The company\n\nThe four actresses have played together since 2009."
        },
        "credits": {
            "it": "Regia: Nunzia Caruso\nCon: Agata Lo Presti, Rosalia Greco, Carmela Vitale, Ninfa Amato\n"
            "Musiche: Saro Messina",
            "en": "Directed by: Nunzia Caruso\nWith: Agata Lo Presti, Rosalia Greco, Carmela Vitale, Ninfa Amato\n"
            "Music: Saro Messina",
        },
        "press": "Quattro voci che sembrano una. Il teatro, quando è così, profuma.\n— L'Ora di Palermo\n\n"
        "Da vedere due volte: la prima per la storia, la seconda per le mani.\n— Quaderni di scena",
        "spoken_language": "scn",
        "surtitles": "it",
        "hearing_loop": True,
        "age_from": 12,
    },
    "concerto-per-voce-e-pioggia": {
        "titles": {"en": "Concerto for voice and rain"},
        "summaries": {"en": "Songs and thunderstorms, with the theatre's little orchestra."},
        "credits": {"it": "Con: Fiamma Doria, la piccola orchestra dei Gelsi\nDirezione: Ivo Sala"},
        "strobe": True,
        "loud_noise": True,
        "hearing_loop": True,
    },
    "bianca-come-la-nebbia": {
        "titles": {"en": "White as the fog"},
        "summaries": {
            "en": "A crime story of the plain, where nobody saw anything and everybody heard something."
        },
        "haze": True,
        "age_from": 14,
    },
    "il-maestro-di-ombrelli": {
        "titles": {"en": "The umbrella master"},
        "summaries": {
            "en": "A tale for grown-ups of a trade that nobody needs, and of the rain that comes back."
        },
        "surtitles": "en",
    },
    "il-gatto-che-contava-le-stelle": {
        "titles": {"en": "The cat who counted the stars"},
        "summaries": {
            "en": "Shadow theatre for families, from four years. A night on the roofs, without a word too many."
        },
        "credits": {"it": "Ombre e luci: Compagnia Mezzaluna\nMusiche dal vivo: Pia Orlandi"},
        "spoken_language": "zxx",
        "age_from": 4,
    },
    "lettere-da-un-faro": {
        "titles": {"en": "Letters from a lighthouse"},
        "summaries": {
            "en": "A monologue for an actress and a lamp. Ten years of letters that were never sent."
        },
        "description": "Ogni sera, alle nove, la guardiana accende la lampada e scrive. *Non spedisce mai.*\n\n"
        "Uno spettacolo per trentasei spettatori, intorno a un tavolo.",
        "descriptions": {
            "en": "Every evening at nine the keeper lights the lamp and writes. *She never sends.*\n\n"
            "A performance for thirty-six people around a table."
        },
        "credits": {"it": "Di e con: Vera Salis\nCon: Vera Salis\nLuce: Tito Manca"},
        "age_from": 14,
        "surtitles": "en",
    },
    "l-ultima-prova": {
        "titles": {"en": "The last rehearsal"},
        "summaries": {
            "en": "A comedy for six actors who no longer speak to each other. Soon to open."
        },
    },
}


def facts_of(slug: str) -> dict[str, Any]:
    """The columns of a show beside its title, summary and duration."""
    return {**_EVERYWHERE, **_OWN.get(slug, {})}
