#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "cli/commands/context.hpp"

namespace satchel::commands {

namespace {

constexpr std::array<std::string_view, 5> kKinds = {"course", "theme", "audience", "producer", "all"};

Result<exchange::Subscription> subscription_of(Context& context) {
    exchange::Subscription subscription{context.arguments.text("KIND"), context.arguments.text("VALUE")};
    if (std::find(kKinds.begin(), kKinds.end(), subscription.kind) == kKinds.end())
        return fail(ErrorCode::kUsage, subscription.kind, "nothing can be subscribed to by this",
                    "choose course, theme, audience, producer or all");
    if ((subscription.kind == "all") != subscription.value.empty())
        return fail(ErrorCode::kUsage, subscription.kind,
                    "all takes no value, and every other kind needs one",
                    "write for example: subscribe add theme maths");
    return subscription;
}

nlohmann::json fields_of(const exchange::Subscription& subscription) {
    return {{"kind", subscription.kind}, {"value", subscription.value}};
}

std::string name_of(const exchange::Subscription& subscription) {
    return subscription.value.empty() ? subscription.kind : subscription.kind + " " + subscription.value;
}

Result<cli::ExitCode> add(Context& context) {
    SATCHEL_TRY(const exchange::Subscription subscription, subscription_of(context));
    SATCHEL_TRY_VOID(context.site->subscribe(subscription));
    context.output.note("Subscribed: {what}", {{"what", name_of(subscription)}});
    context.output.summary(fields_of(subscription));
    return cli::kExitDone;
}

Result<cli::ExitCode> remove(Context& context) {
    SATCHEL_TRY(const exchange::Subscription subscription, subscription_of(context));
    SATCHEL_TRY(const bool was_there, context.site->unsubscribe(subscription));
    SATCHEL_TRY(const bool wants_all, context.site->wants_all());
    if (!was_there && wants_all)
        return fail(ErrorCode::kNotFound, name_of(subscription),
                    "this site has no such subscription: it wants all courses",
                    "add what shall stay, with `satchel subscribe add`; then `satchel subscribe remove all`");
    if (!was_there)
        return fail(ErrorCode::kNotFound, name_of(subscription), "this site has no such subscription",
                    "see all with `satchel subscribe list`");
    context.output.note("No longer subscribed: {what}", {{"what", name_of(subscription)}});
    context.output.summary(fields_of(subscription));
    return cli::kExitDone;
}

Result<cli::ExitCode> list(Context& context) {
    SATCHEL_TRY(const std::vector<exchange::Subscription> all, context.site->subscriptions());
    for (const exchange::Subscription& subscription : all) {
        context.output.item(fields_of(subscription));
        context.output.print(name_of(subscription));
    }
    context.output.summary({{"subscriptions", all.size()}});
    return cli::kExitDone;
}

std::vector<ArgumentSpec> what() {
    return {{"KIND", ArgumentKind::kPositional, "", "course, theme, audience, producer or all"},
            {"VALUE", ArgumentKind::kOptionalPositional, "", "which one; nothing for all"}};
}

}  // namespace

std::vector<CommandSpec> subscribe_commands() {
    return {
        {.name = "subscribe add",
         .summary = "Wants courses: one, or all of a theme, an audience or a producer",
         .needs = Needs::kSite,
         .arguments = what(),
         .examples = {"satchel --site village subscribe add theme maths",
                      "satchel --site village subscribe add all"},
         .run = add},
        {.name = "subscribe remove",
         .summary = "Wants them no more; what is here stays",
         .needs = Needs::kSite,
         .arguments = what(),
         .examples = {"satchel --site village subscribe remove all",
                      "satchel --site village subscribe remove course maths"},
         .run = remove},
        {.name = "subscribe list",
         .summary = "Lists what this site wants",
         .needs = Needs::kSite,
         .arguments = {},
         .examples = {"satchel --site village subscribe list",
                      "satchel --site village subscribe list --json"},
         .run = list},
    };
}

}  // namespace satchel::commands
