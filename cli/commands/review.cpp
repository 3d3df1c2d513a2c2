// Reviews: made here, or by stock ssh-keygen from the statement that `review statement` prints.
#include <nlohmann/json.hpp>

#include "cli/commands/context.hpp"
#include "engine/base/encoding.hpp"
#include "engine/trust/ssh.hpp"

namespace satchel::commands {

namespace {

constexpr std::size_t kKeyFileMax = 16 * 1024;

Result<catalogue::Review> review_asked_for(Context& context) {
    SATCHEL_TRY(const std::string course, course_of(context));
    return context.site->review_of(
        course,
        context.arguments.has("--reject") ? catalogue::Verdict::kReject : catalogue::Verdict::kApprove,
        context.arguments.has("--technical") ? catalogue::ReviewRole::kTechnical
                                             : catalogue::ReviewRole::kContent);
}

nlohmann::json fields_of(const catalogue::Review& review) {
    return {{"course", review.course},
            {"edition", review.edition},
            {"manifest", to_hex(review.manifest)},
            {"verdict", catalogue::word_of(review.verdict)},
            {"role", review.role == catalogue::ReviewRole::kContent ? "content" : "technical"}};
}

std::string verdict_word(Context& context, const catalogue::Review& review) {
    return review.verdict == catalogue::Verdict::kApprove ? context.output.say("approved")
                                                          : context.output.say("rejected");
}

// Says what the review did to its edition.
Result<cli::ExitCode> say_outcome(Context& context, const catalogue::Review& review, bool is_new) {
    SATCHEL_TRY(const std::optional<catalogue::EditionState> newest,
                context.site->catalogue().newest_edition(review.course));
    const bool is_current = newest && newest->is_current && newest->edition.number == review.edition;
    context.output.note("{course}, edition {number}: {verdict}",
                        {{"course", review.course},
                         {"number", std::to_string(review.edition)},
                         {"verdict", verdict_word(context, review)}});
    if (!is_new) context.output.note("This review was known already.");
    if (is_current)
        context.output.note("The edition is current now.");
    else if (newest)
        context.output.note(
            "The edition is not current: {count} of {needed} reviewers approve, {against} reject.",
            {{"count", std::to_string(newest->approvals)},
             {"needed", std::to_string(newest->edition.reviews_needed)},
             {"against", std::to_string(newest->rejections)}});
    nlohmann::json fields = fields_of(review);
    fields["is_new"] = is_new;
    fields["is_current"] = is_current;
    context.output.summary(std::move(fields));
    return cli::kExitDone;
}

Result<cli::ExitCode> statement(Context& context) {
    SATCHEL_TRY(const catalogue::Review review, review_asked_for(context));
    const std::string words = catalogue::encode(review);
    if (context.output.json()) {
        nlohmann::json fields = fields_of(review);
        fields["statement"] = words;
        context.output.summary(std::move(fields));
        return cli::kExitDone;
    }
    context.output.data(words);
    context.output.note("Save it, then sign it: ssh-keygen -Y sign -f KEY -n satchel-review FILE");
    return cli::kExitDone;
}

Result<trust::SigningKey> reviewer_key(Context& context) {
    if (!context.arguments.has("--key")) return context.site->own_reviewer_key();
    SATCHEL_TRY(const std::string file, read_input(context, "--key", kKeyFileMax));
    Result<trust::SigningKey> key = trust::parse_ssh_private_file(file);
    if (!key.has_value()) return about_input(context, "--key", {"private key"}, key.error());
    return key;
}

Result<cli::ExitCode> sign(Context& context) {
    SATCHEL_TRY(const catalogue::Review review, review_asked_for(context));
    SATCHEL_TRY(const trust::SigningKey key, reviewer_key(context));
    SATCHEL_TRY(const bool is_new, context.site->sign_review(review, key));
    return say_outcome(context, review, is_new);
}

Result<cli::ExitCode> import_review(Context& context) {
    SATCHEL_TRY(const std::string words, read_input(context, "STATEMENT", catalogue::kReviewStatementMax));
    SATCHEL_TRY(std::string armor, read_input(context, "SIGNATURE", trust::kArmorMax));
    // ssh-keygen ends the armor with a newline; the catalogue keeps it without.
    while (!armor.empty() && (armor.back() == '\n' || armor.back() == '\r')) armor.pop_back();
    const Result<catalogue::Review> review = catalogue::decode_review(bytes_of(words));
    if (!review.has_value()) return about_input(context, "STATEMENT", {"review"}, review.error());
    const ByteView bytes = bytes_of(words);
    const Result<bool> is_new =
        context.site->import_review({ByteBuffer(bytes.begin(), bytes.end()), std::move(armor)});
    if (!is_new.has_value()) return about_input(context, "SIGNATURE", {"signature"}, is_new.error());
    return say_outcome(context, *review, *is_new);
}

Result<cli::ExitCode> list(Context& context) {
    std::string wanted;
    if (context.arguments.has("COURSE")) {
        SATCHEL_TRY(wanted, course_of(context));
    }
    std::uint64_t count = 0;
    SATCHEL_TRY_VOID(context.site->catalogue().for_each_review(
        [&](const catalogue::Review& review, const std::string& holder,
            const catalogue::SignedReview&) -> Result<void> {
            if (!wanted.empty() && review.course != wanted) return {};
            ++count;
            nlohmann::json fields = fields_of(review);
            fields["holder"] = holder;
            context.output.item(std::move(fields));
            context.output.print("{course}, edition {number}: {verdict} by {holder}",
                                 {{"course", review.course},
                                  {"number", std::to_string(review.edition)},
                                  {"verdict", verdict_word(context, review)},
                                  {"holder", holder}});
            return context.output.state();
        }));
    context.output.summary({{"reviews", count}});
    return cli::kExitDone;
}

std::vector<ArgumentSpec> what_is_reviewed() {
    return {{"COURSE", ArgumentKind::kPositional, "", "a course: its id, or how its id or title begins"},
            {"--reject", ArgumentKind::kFlag, "", "reject the edition instead of approving it"},
            {"--technical", ArgumentKind::kFlag, "", "a review of the technique, not of the content"}};
}

std::vector<ArgumentSpec> with_key(std::vector<ArgumentSpec> arguments) {
    arguments.push_back({"--key", ArgumentKind::kOption, "FILE",
                         "the reviewer's private key; otherwise the hub's own reviewer"});
    return arguments;
}

}  // namespace

std::vector<CommandSpec> review_commands() {
    return {
        {.name = "review statement",
         .summary = "Prints what a reviewer signs with ssh-keygen, for a course's newest edition",
         .needs = Needs::kSite,
         .arguments = what_is_reviewed(),
         .examples = {"satchel --site hub review statement maths > maths.review",
                      "satchel --site hub review statement maths --reject > maths.review"},
         .run = statement},
        {.name = "review sign",
         .summary = "Signs a review of a course's newest edition",
         .needs = Needs::kSite,
         .arguments = with_key(what_is_reviewed()),
         .examples = {"satchel --site hub review sign maths",
                      "satchel --site hub review sign maths --key ~/.ssh/reviewer --technical"},
         .run = sign},
        {.name = "review import",
         .summary = "Takes in a statement that a reviewer signed with ssh-keygen",
         .needs = Needs::kSite,
         .arguments = {{"STATEMENT", ArgumentKind::kPositional, "", "the file that was signed"},
                       {"SIGNATURE", ArgumentKind::kPositional, "", "the .sig file that ssh-keygen made"}},
         .examples = {"satchel --site hub review import maths.review maths.review.sig",
                      "satchel --site hub review import maths.review maths.review.sig --json"},
         .run = import_review},
        {.name = "review list",
         .summary = "Lists the reviews that are known",
         .needs = Needs::kSite,
         .arguments = {{"COURSE", ArgumentKind::kOptionalPositional, "", "only this course's"}},
         .examples = {"satchel --site hub review list", "satchel --site hub review list maths"},
         .run = list},
    };
}

}  // namespace satchel::commands
