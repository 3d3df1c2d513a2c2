// How a site comes to be: init at the hub, join-request, enrol and join for all others.
#include <nlohmann/json.hpp>

#include "cli/commands/context.hpp"
#include "engine/base/encoding.hpp"

namespace satchel::commands {

namespace {

constexpr std::uint32_t kReviewsMax = 64;  // as many as a root has keys
constexpr std::uint32_t kGrantDaysMax = 3650;
constexpr std::int32_t kUtcOffsetMaxMinutes = 14 * 60;

// "+08:00", "-3:30", "08:00"
Result<std::int32_t> utc_offset_of(const std::string& text) {
    const auto wrong = [&] {
        return fail(ErrorCode::kUsage, "--utc-offset " + text, "this is not an offset from UTC",
                    "write it like +08:00");
    };
    std::string_view rest = text;
    const bool negative = rest.starts_with('-');
    if (negative || rest.starts_with('+')) rest.remove_prefix(1);
    const std::size_t colon = rest.find(':');
    if (colon == std::string_view::npos || colon == 0 || colon > 2 || rest.size() != colon + 3)
        return wrong();
    std::int32_t parts[2] = {0, 0};
    for (std::size_t i = 0; i < rest.size(); ++i) {
        if (i == colon) continue;
        if (rest[i] < '0' || rest[i] > '9') return wrong();
        std::int32_t& part = parts[i > colon ? 1 : 0];
        part = part * 10 + (rest[i] - '0');
    }
    const std::int32_t minutes = parts[0] * 60 + parts[1];
    if (parts[1] > 59 || minutes > kUtcOffsetMaxMinutes) return wrong();
    return negative ? -minutes : minutes;
}

std::string words_of_text(std::string_view text) { return trust::words_of(trust::fingerprint_of_text(text)); }

void say_site(Context& context, site::Site& site, Literal words) {
    const trust::SiteEntry& self = site.self();
    context.output.note(words, {{"name", self.name}, {"id", to_hex(self.id).substr(0, 8)}});
    context.output.summary({{"site", to_hex(self.id)},
                            {"name", self.name},
                            {"role", std::string(trust::name_of(self.role))},
                            {"network", to_hex(site.network())}});
}

Result<cli::ExitCode> init(Context& context) {
    site::NetworkOptions options;
    options.network = context.arguments.text("--network");
    options.site_name = context.arguments.optional("--site-name").value_or(options.site_name);
    if (const std::optional<std::string> offset = context.arguments.optional("--utc-offset")) {
        SATCHEL_TRY(options.utc_offset_minutes, utc_offset_of(*offset));
    }
    SATCHEL_TRY(options.reviews_needed, number_of(context.arguments, "--reviews", 0, kReviewsMax));
    SATCHEL_TRY(const std::unique_ptr<site::Site> site,
                site::Site::create_network(*context.folder, context.world, options));
    say_site(
        context, *site,
        "The network stands; its hub is {name} ({id}). Keep a copy of the folder keys/ in a safe place.");
    return cli::kExitDone;
}

Result<cli::ExitCode> join_request(Context& context) {
    SATCHEL_TRY(
        const std::string request,
        site::Site::request_to_join(*context.folder, context.world, context.arguments.text("--site-name")));
    const std::string words = words_of_text(request);
    if (context.output.json()) {
        context.output.summary({{"request", request}, {"request_words", words}});
        return cli::kExitDone;
    }
    context.output.data(request);
    context.output.note("Words of this request: {words}", {{"words", words}});
    context.output.note("Bring the request to the hub, and read these words to the person there.");
    return cli::kExitDone;
}

Result<cli::ExitCode> enrol(Context& context) {
    site::EnrolOptions options;
    if (const std::optional<std::string> name = context.arguments.optional("--role")) {
        const std::optional<trust::SiteRole> role = trust::site_role_of(*name);
        if (!role)
            return fail(ErrorCode::kUsage, "--role " + *name, "there is no such role",
                        "choose village, hub, carrier or household");
        options.role = *role;
    }
    options.parent = context.arguments.optional("--parent");
    SATCHEL_TRY(const std::uint32_t days, number_of(context.arguments, "--days", 30, kGrantDaysMax));
    options.valid_days = days;
    SATCHEL_TRY(const std::string request, read_input(context, "REQUEST", trust::kEnrolmentTextMax));
    const Result<std::string> grant = context.site->enrol(request, options);
    if (!grant.has_value()) return about_input(context, "REQUEST", {"request"}, grant.error());
    const std::string request_words = words_of_text(request), grant_words = words_of_text(*grant);
    if (context.output.json()) {
        context.output.summary(
            {{"grant", *grant}, {"grant_words", grant_words}, {"request_words", request_words}});
        return cli::kExitDone;
    }
    context.output.data(*grant);
    context.output.note("Words of the request: {words} (they must be those that the village reads out)",
                        {{"words", request_words}});
    context.output.note("Words of this grant: {words} (for `satchel join --expect`)",
                        {{"words", grant_words}});
    return cli::kExitDone;
}

Result<cli::ExitCode> join(Context& context) {
    SATCHEL_TRY(const std::string grant, read_input(context, "GRANT", trust::kEnrolmentTextMax));
    const Result<std::unique_ptr<site::Site>> site =
        site::Site::join(*context.folder, context.world, grant, context.arguments.optional("--expect"));
    if (!site.has_value())
        return about_input(context, "GRANT", {"grant", "signature", "root", "site", "sealed part"},
                           site.error());
    if (!context.arguments.has("--expect"))
        context.output.note("Words of this grant: {words} (compare them with the hub's)",
                            {{"words", words_of_text(grant)}});
    say_site(context, **site, "This box has joined as {name} ({id}).");
    return cli::kExitDone;
}

}  // namespace

std::vector<CommandSpec> setup_commands() {
    return {
        {.name = "init",
         .summary = "Makes a new network, with this site as its hub",
         .needs = Needs::kFolder,
         .arguments = {{"DIR", ArgumentKind::kPositional, "", "the site's folder; made if it is missing"},
                       {"--network", ArgumentKind::kRequiredOption, "NAME", "the network's name"},
                       {"--site-name", ArgumentKind::kOption, "NAME", "this site's name; otherwise hub"},
                       {"--utc-offset", ArgumentKind::kOption, "+HH:MM",
                        "the network's offset from UTC; otherwise +08:00"},
                       {"--reviews", ArgumentKind::kOption, "COUNT",
                        "reviewers who must approve each edition; otherwise 0"}},
         .examples = {"satchel init hub --network 'Yushan county'",
                      "satchel init /srv/satchel --network Yushan --site-name county --reviews 2"},
         .run = init},
        {.name = "join-request",
         .summary = "Makes this box's keys and the request with which it asks to join",
         .needs = Needs::kFolder,
         .arguments = {{"DIR", ArgumentKind::kPositional, "", "the site's folder; made if it is missing"},
                       {"--site-name", ArgumentKind::kRequiredOption, "NAME", "the name this site asks for"}},
         .examples = {"satchel join-request village --site-name 'Lijia village' > request.txt",
                      "satchel join-request /srv/satchel --site-name lijia --json"},
         .run = join_request},
        {.name = "enrol",
         .summary = "Enrols a site at the hub: answers its request with a grant",
         .needs = Needs::kSite,
         .arguments = {{"REQUEST", ArgumentKind::kPositional, "",
                        "the file with the request; - reads it from standard input"},
                       {"--role", ArgumentKind::kOption, "ROLE",
                        "village (if not given), hub, carrier or household"},
                       {"--parent", ArgumentKind::kOption, "SITE", "the site above it; otherwise this hub"},
                       {"--days", ArgumentKind::kOption, "COUNT",
                        "days for which the grant counts; otherwise 30"}},
         .examples = {"satchel --site hub enrol request.txt > grant.txt",
                      "satchel --site hub enrol - --role carrier < request.txt > grant.txt"},
         .run = enrol},
        {.name = "join",
         .summary = "Joins the network with the hub's grant",
         .needs = Needs::kFolder,
         .arguments = {{"DIR", ArgumentKind::kPositional, "", "the folder in which the request was made"},
                       {"GRANT", ArgumentKind::kPositional, "",
                        "the file with the grant; - reads it from standard input"},
                       {"--expect", ArgumentKind::kOption, "WORDS",
                        "the grant's words, as the hub reads them out"}},
         .examples = {"satchel join village grant.txt",
                      "satchel join village grant.txt --expect lusab-babad-gutih-tugad-mokan"},
         .run = join},
    };
}

}  // namespace satchel::commands
