/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "client/lib.h"
#include "client/policy/tool.h"
#include "platform/base/jsonw.h"
#include "platform/caller.h"
#include "platform/link.h"

enum doctor_state { DOCTOR_OK, DOCTOR_NOTE, DOCTOR_BAD };

/* One finding; the texts are the arena's or constants. */
struct finding {
    const char *area; /* "layer", "policy", "service" */
    const char *name;
    enum doctor_state state;
    const char *evidence;
    const char *remedy; /* NULL: none is needed */
};

struct doctor {
    struct tool *tool;
    struct jsonw json;
    const char *area; /* of the last finding */
    bool bad;
};

static const char *const state_names[] = {"ok", "note", "bad"};

static void tell(struct doctor *doctor, const struct finding *finding)
{
    struct strbuf *out = &doctor->tool->out;
    bool remedy =
        finding->state != DOCTOR_OK && finding->remedy != NULL && finding->remedy[0] != '\0';

    doctor->bad = doctor->bad || finding->state == DOCTOR_BAD;
    if (doctor->tool->json) {
        jsonw_object(&doctor->json, NULL);
        jsonw_string(&doctor->json, "area", finding->area);
        jsonw_string(&doctor->json, "name", finding->name);
        jsonw_string(&doctor->json, "state", state_names[finding->state]);
        jsonw_string(&doctor->json, "evidence", finding->evidence);
        jsonw_string(&doctor->json, "remedy", remedy ? finding->remedy : NULL);
        jsonw_object_end(&doctor->json);
        return;
    }
    if (doctor->area == NULL || strcmp(doctor->area, finding->area) != 0) {
        strbuf_printf(out, "%s%s\n", doctor->area != NULL ? "\n" : "", finding->area);
        doctor->area = finding->area;
    }
    strbuf_printf(out, "  %-5s %-18s %s\n", state_names[finding->state], finding->name,
                  finding->evidence);
    if (remedy) {
        strbuf_printf(out, "        remedy: %s\n", finding->remedy);
    }
}

static void tell_fault(struct doctor *doctor, const char *area, const char *name,
                       const struct cordon_fault *fault)
{
    tell(doctor, &(const struct finding){area, name, DOCTOR_BAD, fault->text, fault->remedy});
}

static void check_layers(struct doctor *doctor)
{
    struct platform_probe probe;

    if (doctor->tool->platform == NULL) {
        tell(doctor, &(const struct finding){"layers", "back end", DOCTOR_BAD,
                                             "there is none for this system", NULL});
        return;
    }
    memset(&probe, 0, sizeof(probe));
    doctor->tool->platform->probe(&probe);
    for (size_t i = 0; i < probe.layer_count; i++) {
        const struct platform_layer *layer = &probe.layers[i];
        enum doctor_state state = layer->available ? DOCTOR_OK
                                  : layer->needed  ? DOCTOR_BAD
                                                   : DOCTOR_NOTE;

        tell(doctor,
             &(const struct finding){"layers", layer->name, state, layer->evidence, layer->remedy});
    }
}

static void check_warnings(struct doctor *doctor, const struct policy *policy)
{
    for (size_t i = 0; i < policy->warning_count; i++) {
        struct strbuf text = STRBUF_INIT;
        const char *copy;

        policy_origin_text(&policy->warnings[i].origin, &text);
        strbuf_printf(&text, ": %s", policy->warnings[i].text);
        copy = arena_strdup(&doctor->tool->arena, strbuf_text(&text));
        strbuf_deinit(&text);
        tell(doctor, &(const struct finding){"policy", "warning", DOCTOR_NOTE,
                                             copy != NULL ? copy : "out of memory", NULL});
    }
}

static void check_policy(struct doctor *doctor)
{
    struct tool *tool = doctor->tool;
    struct cordon_fault fault = {0};

    if (tool_documents(tool, &fault) != CORDON_OK) {
        tell_fault(doctor, "policy", "files", &fault);
        return;
    }
    for (size_t i = 0; i < tool->document_count; i++) {
        tell(doctor, &(const struct finding){"policy", i < tool->managed.count ? "managed" : "own",
                                             DOCTOR_OK, tool->documents[i].path, NULL});
    }
    if (tool->managed.count == 0) {
        tell(doctor, &(const struct finding){"policy", "managed", DOCTOR_NOTE,
                                             "no requirements file: nothing is required", NULL});
    }
    if (tool_policy(tool, &fault) != CORDON_OK) {
        tell_fault(doctor, "policy", "effective", &fault);
        return;
    }
    tool_plan(tool);
    if (tool->plan == NULL) {
        tell_fault(doctor, "policy", "effective", &tool->plan_fault);
    } else {
        tell(doctor, &(const struct finding){"policy", "effective", DOCTOR_OK,
                                             tool->policy->profile, NULL});
    }
    check_warnings(doctor, tool->policy);
}

static void tell_document(struct doctor *doctor, const struct managed_places *places)
{
    const struct fetched *fetched = &doctor->tool->fetched;
    const struct fetched_document *document = fetched_in_force(fetched);
    struct cordon_fault fault = {0};
    char time[HOST_TIME_MAX] = "never";
    uint64_t confirmed = 0;
    const char *text;

    if (document == NULL) {
        tell(doctor,
             &(const struct finding){"fetch", "document",
                                     fetched->config.allow_first ? DOCTOR_NOTE : DOCTOR_BAD,
                                     "there is no verified document yet", "start cordon-fetch"});
        return;
    }
    if (fetched_check_age(places, fetched, document, &confirmed, &fault) != CORDON_OK) {
        tell_fault(doctor, "fetch", "age", &fault);
    }
    if (confirmed != 0) {
        host_time_of(confirmed * 1000U, time);
    }
    text = arena_printf(&doctor->tool->arena, "generation %llu, confirmed %s",
                        (unsigned long long)document->envelope.generation, time);
    tell(doctor, &(const struct finding){"fetch", "document", DOCTOR_OK,
                                         text != NULL ? text : "out of memory", NULL});
}

/* What the supervisor would say of the spool, and what cordon-fetch says of its source. */
static void check_fetch(struct doctor *doctor)
{
    const struct managed_places places = MANAGED_PLACES;
    const struct fetched *fetched = &doctor->tool->fetched;
    char line[CORDON_FAULT_TEXT_MAX];
    struct strbuf safe = STRBUF_INIT;

    if (!fetched->configured) {
        return;
    }
    tell(doctor,
         &(const struct finding){"fetch", "source", DOCTOR_OK, fetched->config.source, NULL});
    tell_document(doctor, &places);
    if (fetched->alarm.err != CORDON_OK) {
        tell_fault(doctor, "fetch", "spool", &fetched->alarm);
    }
    fetched_alarm(&places, line, sizeof(line));
    if (line[0] != '\0') {
        strbuf_escape(&safe, line, strlen(line));
        tell(doctor,
             &(const struct finding){"fetch", "alarm", DOCTOR_BAD, strbuf_text(&safe), NULL});
    }
    strbuf_deinit(&safe);
}

#define EMBEDDED_IS_WEAKER                                                                         \
    "embedded mode: managed policy is honoured, but binds only those who run cordon; other users " \
    "and programs are not bound"

static void check_findings(struct doctor *doctor)
{
    struct caller_finding found[CALLER_FINDINGS_MAX];
    const size_t count = caller_findings(&doctor->tool->arena, found);

    for (size_t i = 0; i < count; i++) {
        tell(doctor, &(const struct finding){"service", found[i].name,
                                             found[i].bad ? DOCTOR_BAD : DOCTOR_OK,
                                             found[i].evidence, found[i].remedy});
    }
}

static void check_service(struct doctor *doctor)
{
    struct cordon_fault fault = {0};
    bool installed = link_service_installed();
    int fd = -1;
    enum cordon_err err = link_service(&fd, &fault);

    if (err == CORDON_OK) {
        link_close(fd);
        tell(doctor,
             &(const struct finding){"service", "cordond", DOCTOR_OK, link_service_answers, NULL});
    } else if (err != CORDON_E_NOT_FOUND) {
        tell_fault(doctor, "service", "cordond", &fault);
    } else if (installed) {
        tell(doctor, &(const struct finding){"service", "cordond", DOCTOR_BAD,
                                             "installed, but nobody listens", link_service_start});
    } else {
        tell(doctor, &(const struct finding){"service", "cordond", DOCTOR_NOTE, EMBEDDED_IS_WEAKER,
                                             "install the service to make managed policy binding"});
    }
    check_findings(doctor);
}

int verb_doctor(struct tool *tool)
{
    struct doctor doctor = {.tool = tool, .json = JSONW_INIT(&tool->out)};
    struct cordon_fault fault = {0};

    if (tool_context(tool, &fault) != CORDON_OK) {
        return tool_fail(tool, &fault);
    }
    if (tool->json) {
        jsonw_object(&doctor.json, NULL);
        jsonw_array(&doctor.json, "findings");
    }
    check_layers(&doctor);
    check_policy(&doctor);
    check_fetch(&doctor);
    check_service(&doctor);
    if (tool->json) {
        jsonw_array_end(&doctor.json);
        jsonw_bool(&doctor.json, "ok", !doctor.bad);
        jsonw_object_end(&doctor.json);
        jsonw_newline(&doctor.json);
    }
    return doctor.bad ? 1 : 0;
}
