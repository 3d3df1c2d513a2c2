#include <nlohmann/json.hpp>

#include "cli/commands/report.hpp"

namespace satchel::commands {

namespace {

constexpr std::uint32_t kReviewsMax = 64;

void say_course(Context& context, const site::PublishedCourse& course) {
    const catalogue::Edition& edition = course.edition;
    if (course.unchanged) {
        context.output.print("{course}: unchanged, edition {number} stays",
                             {{"course", edition.course}, {"number", std::to_string(edition.number)}});
        return;
    }
    context.output.print(
        "{course}: edition {number}, {files} files, {bytes}; {chunks} new chunks, {stored} stored",
        {{"course", edition.course},
         {"number", std::to_string(edition.number)},
         {"files", std::to_string(edition.files)},
         {"bytes", text::size_text(edition.bytes)},
         {"chunks", std::to_string(course.new_chunks)},
         {"stored", text::size_text(course.new_stored_bytes)}});
    if (!course.is_current)
        context.output.note(
            "{course}: waits for reviews ({count} needed); approve it with `satchel review sign {course}`",
            {{"course", edition.course}, {"count", std::to_string(edition.reviews_needed)}});
}

Result<cli::ExitCode> publish(Context& context) {
    site::PublishOptions options;
    options.message = context.arguments.text("--message");
    options.reread = context.arguments.has("--reread");
    if (context.arguments.has("--reviews")) {
        SATCHEL_TRY(options.reviews, number_of(context.arguments, "--reviews", 0, kReviewsMax));
    }
    const std::string path = absolute_path(context.invocation, context.arguments.text("FOLDER"));
    SATCHEL_TRY(const std::unique_ptr<env::Disk> folder, open_folder(path));
    const std::string name = path.substr(path.rfind('/') + 1);
    SATCHEL_TRY(const site::PublishReport report,
                context.site->publish(*folder, name, options, context.progress));

    nlohmann::json courses = nlohmann::json::array();
    for (const site::PublishedCourse& course : report.courses) {
        say_course(context, course);
        if (course.edition.course == options.loose_course && course.edition.number == 1 && !course.unchanged)
            context.output.warn("Files that lie in no course folder became a course of their own: {course}",
                                {{"course", course.edition.course}});
        nlohmann::json fields = edition_fields(course.edition);
        fields["unchanged"] = course.unchanged;
        fields["is_current"] = course.is_current;
        fields["new_chunks"] = course.new_chunks;
        fields["new_stored_bytes"] = course.new_stored_bytes;
        courses.push_back(std::move(fields));
    }
    warn_of_skipped(context, report.skipped, report.skipped_count);
    context.output.summary({{"courses", std::move(courses)},
                            {"skipped", skipped_fields(context, report.skipped)},
                            {"skipped_count", report.skipped_count}});
    return report.skipped_count == 0 ? cli::kExitDone : cli::kExitPartly;
}

}  // namespace

std::vector<CommandSpec> publish_commands() {
    return {
        {.name = "publish",
         .summary = "Publishes a folder of courseware: a new edition of each course that changed",
         .needs = Needs::kSite,
         .arguments = {{"FOLDER", ArgumentKind::kPositional, "",
                        "one course (it holds a course.json), or a folder of courses"},
                       {"--message", ArgumentKind::kOption, "TEXT", "what is new, for the catalogue's log"},
                       {"--reviews", ArgumentKind::kOption, "COUNT",
                        "reviewers who must approve; otherwise as many as last time"},
                       {"--reread", ArgumentKind::kFlag, "",
                        "read every file, also those that look unchanged"}},
         .examples = {"satchel --site hub publish courseware",
                      "satchel --site hub publish maths --message 'Grade 5 corrected' --reviews 1"},
         .run = publish}};
}

}  // namespace satchel::commands
