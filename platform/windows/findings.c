/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/findings.h"

#include "platform/windows/api.h"
#include "platform/windows/scm.h"

#define AGAIN "run as an administrator: cordond --install"

static const char *or_no_memory(const char *text)
{
    return text != NULL ? text : "out of memory";
}

static struct caller_finding entry(const struct findings_facts *facts, struct arena *arena)
{
    struct caller_finding finding = {"entry", true, "", AGAIN};

    if (facts->asked != API_OK) {
        finding.evidence =
            or_no_memory(arena_printf(arena, "cannot be looked at (%u)", (unsigned)facts->asked));
        finding.remedy = "ask an administrator";
    } else if (!facts->is_systems) {
        finding.evidence = "it is another account's than LocalSystem's";
    } else if (!facts->automatic) {
        finding.evidence = "it is not started with the system";
    } else if (!facts->running) {
        finding.evidence = or_no_memory(
            arena_printf(arena, "it does not run; it ended with %u", (unsigned)facts->ended_with));
        finding.remedy = "see its events (source cordon of the application log); sc start cordond";
    } else {
        finding = (struct caller_finding){"entry", false, "LocalSystem's, automatic, running", ""};
    }
    return finding;
}

static struct caller_finding place(const char *name, const struct cordon_fault *fault,
                                   struct arena *arena)
{
    if (fault->err == CORDON_OK) {
        return (struct caller_finding){name, false, "the system's and administrators' alone", ""};
    }
    return (struct caller_finding){name, true, or_no_memory(arena_strdup(arena, fault->text)),
                                   or_no_memory(arena_strdup(arena, fault->remedy))};
}

size_t findings_of(const struct findings_facts *facts, struct arena *arena,
                   struct caller_finding findings[CALLER_FINDINGS_MAX])
{
    size_t count = 0;

    if (facts->asked == SCM_NOT_THERE) {
        return 0;
    }
    findings[count++] = entry(facts, arena);
    findings[count++] = place("programs", &facts->programs, arena);
    /* Others may not even look at its list, which is as it should be. */
    if (facts->state.err == CORDON_E_DENIED && !facts->administrator) {
        findings[count++] =
            (struct caller_finding){"state", false, "closed; an administrator sees more", ""};
    } else {
        findings[count++] = place("state", &facts->state, arena);
    }
    findings[count++] =
        facts->source == API_OK
            ? (struct caller_finding){"event log", false, "the source is registered", ""}
            : (struct caller_finding){"event log", true,
                                      "the source is not registered: events have no text", AGAIN};
    return count;
}
