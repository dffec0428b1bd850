// The files that the binary carries. Add a file below files/, one FILE line for its bytes and one ENTRY line for its name.
#include "CEmbedded.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char bounce_base_toml[] = {
#embed "files/bounce/base.toml"
};
static const unsigned char bounce_providers_toml[] = {
#embed "files/bounce/providers.toml"
};
static const unsigned char calendar_holidays_txt[] = {
#embed "files/calendar/holidays.txt"
};
static const unsigned char classify_banners_toml[] = {
#embed "files/classify/banners.toml"
};
static const unsigned char classify_contacts_toml[] = {
#embed "files/classify/contacts.toml"
};
static const unsigned char classify_cs_toml[] = {
#embed "files/classify/cs.toml"
};
static const unsigned char classify_da_toml[] = {
#embed "files/classify/da.toml"
};
static const unsigned char classify_dates_toml[] = {
#embed "files/classify/dates.toml"
};
static const unsigned char classify_de_toml[] = {
#embed "files/classify/de.toml"
};
static const unsigned char classify_en_toml[] = {
#embed "files/classify/en.toml"
};
static const unsigned char classify_es_toml[] = {
#embed "files/classify/es.toml"
};
static const unsigned char classify_fi_toml[] = {
#embed "files/classify/fi.toml"
};
static const unsigned char classify_fr_toml[] = {
#embed "files/classify/fr.toml"
};
static const unsigned char classify_it_toml[] = {
#embed "files/classify/it.toml"
};
static const unsigned char classify_ja_toml[] = {
#embed "files/classify/ja.toml"
};
static const unsigned char classify_nl_toml[] = {
#embed "files/classify/nl.toml"
};
static const unsigned char classify_no_toml[] = {
#embed "files/classify/no.toml"
};
static const unsigned char classify_others_toml[] = {
#embed "files/classify/others.toml"
};
static const unsigned char classify_pl_toml[] = {
#embed "files/classify/pl.toml"
};
static const unsigned char classify_pt_toml[] = {
#embed "files/classify/pt.toml"
};
static const unsigned char classify_reports_toml[] = {
#embed "files/classify/reports.toml"
};
static const unsigned char classify_sv_toml[] = {
#embed "files/classify/sv.toml"
};
static const unsigned char classify_tone_model[] = {
#embed "files/classify/tone.model"
};
static const unsigned char classify_tr_toml[] = {
#embed "files/classify/tr.toml"
};
static const unsigned char contacts_countries_txt[] = {
#embed "files/contacts/countries.txt"
};
static const unsigned char contacts_disposable_txt[] = {
#embed "files/contacts/disposable.txt"
};
static const unsigned char contacts_free_mail_txt[] = {
#embed "files/contacts/free-mail.txt"
};
static const unsigned char contacts_phone_zones_txt[] = {
#embed "files/contacts/phone-zones.txt"
};
static const unsigned char contacts_roles_txt[] = {
#embed "files/contacts/roles.txt"
};
static const unsigned char demo_ca_pem[] = {
#embed "../../certs/demo/ca.pem"
};
static const unsigned char demo_contacts_csv[] = {
#embed "files/demo/contacts.csv"
};
static const unsigned char demo_sequence_toml[] = {
#embed "files/demo/sequence.toml"
};
static const unsigned char demo_server_key[] = {
#embed "../../certs/demo/server.key"
};
static const unsigned char demo_server_pem[] = {
#embed "../../certs/demo/server.pem"
};
static const unsigned char pacing_providers_toml[] = {
#embed "../../conf/providers.toml"
};
static const unsigned char tone_cs_txt[] = {
#embed "../../scripts/generate/tone/cs.txt"
};
static const unsigned char tone_da_txt[] = {
#embed "../../scripts/generate/tone/da.txt"
};
static const unsigned char tone_de_txt[] = {
#embed "../../scripts/generate/tone/de.txt"
};
static const unsigned char tone_en_txt[] = {
#embed "../../scripts/generate/tone/en.txt"
};
static const unsigned char tone_es_txt[] = {
#embed "../../scripts/generate/tone/es.txt"
};
static const unsigned char tone_fi_txt[] = {
#embed "../../scripts/generate/tone/fi.txt"
};
static const unsigned char tone_fr_txt[] = {
#embed "../../scripts/generate/tone/fr.txt"
};
static const unsigned char tone_it_txt[] = {
#embed "../../scripts/generate/tone/it.txt"
};
static const unsigned char tone_ja_txt[] = {
#embed "../../scripts/generate/tone/ja.txt"
};
static const unsigned char tone_nl_txt[] = {
#embed "../../scripts/generate/tone/nl.txt"
};
static const unsigned char tone_no_txt[] = {
#embed "../../scripts/generate/tone/no.txt"
};
static const unsigned char tone_pl_txt[] = {
#embed "../../scripts/generate/tone/pl.txt"
};
static const unsigned char tone_pt_txt[] = {
#embed "../../scripts/generate/tone/pt.txt"
};
static const unsigned char tone_sv_txt[] = {
#embed "../../scripts/generate/tone/sv.txt"
};
static const unsigned char tone_tr_txt[] = {
#embed "../../scripts/generate/tone/tr.txt"
};
static const unsigned char tracking_machines_toml[] = {
#embed "files/tracking/machines.toml"
};

#define ENTRY(name, bytes) {name, bytes, sizeof bytes}

static const CEmbeddedFile files[] = {
    ENTRY("bounce/base.toml", bounce_base_toml),
    ENTRY("bounce/providers.toml", bounce_providers_toml),
    ENTRY("calendar/holidays.txt", calendar_holidays_txt),
    ENTRY("classify/banners.toml", classify_banners_toml),
    ENTRY("classify/contacts.toml", classify_contacts_toml),
    ENTRY("classify/cs.toml", classify_cs_toml),
    ENTRY("classify/da.toml", classify_da_toml),
    ENTRY("classify/dates.toml", classify_dates_toml),
    ENTRY("classify/de.toml", classify_de_toml),
    ENTRY("classify/en.toml", classify_en_toml),
    ENTRY("classify/es.toml", classify_es_toml),
    ENTRY("classify/fi.toml", classify_fi_toml),
    ENTRY("classify/fr.toml", classify_fr_toml),
    ENTRY("classify/it.toml", classify_it_toml),
    ENTRY("classify/ja.toml", classify_ja_toml),
    ENTRY("classify/nl.toml", classify_nl_toml),
    ENTRY("classify/no.toml", classify_no_toml),
    ENTRY("classify/others.toml", classify_others_toml),
    ENTRY("classify/pl.toml", classify_pl_toml),
    ENTRY("classify/pt.toml", classify_pt_toml),
    ENTRY("classify/reports.toml", classify_reports_toml),
    ENTRY("classify/sv.toml", classify_sv_toml),
    ENTRY("classify/tone.model", classify_tone_model),
    ENTRY("classify/tr.toml", classify_tr_toml),
    ENTRY("contacts/countries.txt", contacts_countries_txt),
    ENTRY("contacts/disposable.txt", contacts_disposable_txt),
    ENTRY("contacts/free-mail.txt", contacts_free_mail_txt),
    ENTRY("contacts/phone-zones.txt", contacts_phone_zones_txt),
    ENTRY("contacts/roles.txt", contacts_roles_txt),
    ENTRY("demo/ca.pem", demo_ca_pem),
    ENTRY("demo/contacts.csv", demo_contacts_csv),
    ENTRY("demo/sequence.toml", demo_sequence_toml),
    ENTRY("demo/server.key", demo_server_key),
    ENTRY("demo/server.pem", demo_server_pem),
    ENTRY("pacing/providers.toml", pacing_providers_toml),
    ENTRY("tone/cs.txt", tone_cs_txt),
    ENTRY("tone/da.txt", tone_da_txt),
    ENTRY("tone/de.txt", tone_de_txt),
    ENTRY("tone/en.txt", tone_en_txt),
    ENTRY("tone/es.txt", tone_es_txt),
    ENTRY("tone/fi.txt", tone_fi_txt),
    ENTRY("tone/fr.txt", tone_fr_txt),
    ENTRY("tone/it.txt", tone_it_txt),
    ENTRY("tone/ja.txt", tone_ja_txt),
    ENTRY("tone/nl.txt", tone_nl_txt),
    ENTRY("tone/no.txt", tone_no_txt),
    ENTRY("tone/pl.txt", tone_pl_txt),
    ENTRY("tone/pt.txt", tone_pt_txt),
    ENTRY("tone/sv.txt", tone_sv_txt),
    ENTRY("tone/tr.txt", tone_tr_txt),
    ENTRY("tracking/machines.toml", tracking_machines_toml),
};

const CEmbeddedFile *cembedded_file(size_t index) {
    return index < sizeof files / sizeof files[0] ? &files[index] : NULL;
}
