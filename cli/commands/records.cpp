// What happened at this site, told and read back.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/commands/context.hpp"
#include "engine/base/encoding.hpp"
#include "engine/env/disk.hpp"
#include "engine/records/record_text.hpp"

namespace satchel::commands {

namespace {

constexpr std::size_t kEventsPerSync = 256;  // of a file: one sync and one transaction for so many
constexpr std::size_t kLinesRefusedShownMax = 20;
constexpr std::size_t kReadStep = 256 * 1024;

Result<std::int32_t> utc_offset(Context& context) {
    SATCHEL_TRY(const std::optional<trust::Root> root, context.site->trust().current_root());
    return root ? root->utc_offset_minutes : 0;
}

Result<cli::ExitCode> show_kinds(Context& context) {
    for (const records::Kind& kind : records::built_in_kinds()) {
        std::string fields;
        nlohmann::json names = nlohmann::json::array();
        for (const records::FieldSpec& field : kind.fields) {
            fields += " " + field.name + (field.is_required ? "!" : "");
            names.push_back({{"name", field.name}, {"required", field.is_required}, {"list", field.is_list}});
        }
        context.output.print(kind.name + ":" + fields);
        context.output.item({{"kind", kind.name}, {"fields", names}});
    }
    context.output.note("A field with ! must be given; at=TIME says when it was, if not now.");
    context.output.summary({{"kinds", records::built_in_kinds().size()}});
    return cli::kExitDone;
}

// Reads lines of a file of any size in bounded memory.
class LineReader {
  public:
    LineReader(env::File& file, std::uint64_t size) : file_(file), size_(size) {}
    [[nodiscard]] std::uint64_t done() const { return at_; }
    // The next line without its end; nullopt at the end of the file. A longer one than kLineMax is an error.
    Result<std::optional<std::string_view>> next() {
        while (true) {
            const std::size_t end = buffer_.find('\n', from_);
            if (end != std::string::npos || at_ >= size_) {
                if (end == std::string::npos && from_ >= buffer_.size())
                    return std::optional<std::string_view>();
                const std::size_t stop = std::min(end, buffer_.size());
                const std::string_view line = std::string_view(buffer_).substr(from_, stop - from_);
                from_ = std::min(stop + 1, buffer_.size());
                return std::optional(line);
            }
            buffer_.erase(0, from_);
            from_ = 0;
            if (buffer_.size() > records::kLineMax)
                return fail(ErrorCode::kTooLarge, "record", "this is larger than it may be",
                            "split it into smaller parts");
            SATCHEL_TRY_VOID(read_more());
        }
    }

  private:
    Result<void> read_more() {
        ByteBuffer step(static_cast<std::size_t>(std::min<std::uint64_t>(kReadStep, size_ - at_)));
        SATCHEL_TRY(const std::size_t got, file_.read_at(at_, step));
        if (got == 0) size_ = at_;
        buffer_.append(text_of(ByteView(step).first(got)));
        at_ += got;
        return {};
    }
    env::File& file_;
    std::uint64_t size_, at_ = 0;
    std::string buffer_;
    std::size_t from_ = 0;
};

class Import {
  public:
    Import(Context& context, std::int32_t offset) : context_(context), offset_(offset) {}

    Result<void> run(const std::string& path) {
        SATCHEL_TRY(const Target target, open_target(context_, path));
        SATCHEL_TRY(const std::unique_ptr<env::File> file,
                    target.parent->open(target.name, env::OpenMode::kRead));
        SATCHEL_TRY(const std::uint64_t size, file->size());
        LineReader lines(*file, size);
        while (true) {
            SATCHEL_TRY(const std::optional<std::string_view> line, lines.next());
            if (!line) break;
            ++line_;
            if (line->find_first_not_of(" \t\r") == std::string_view::npos) continue;
            Result<records::Event> event = records::event_from_json(*line, offset_);
            if (event.has_value())
                batch_.push_back(std::move(*event));
            else
                refuse(target.path, event.error());
            if (batch_.size() < kEventsPerSync) continue;
            SATCHEL_TRY_VOID(flush());
            SATCHEL_TRY_VOID(context_.progress.update({.stage = "recording",
                                                       .item = target.name,
                                                       .items_done = recorded_,
                                                       .bytes_done = lines.done(),
                                                       .bytes_total = size}));
        }
        SATCHEL_TRY_VOID(flush());
        return context_.site->records().close_segment();
    }
    [[nodiscard]] std::uint64_t recorded() const { return recorded_; }
    [[nodiscard]] std::uint64_t refused() const { return refused_; }

  private:
    Result<void> flush() {
        if (batch_.empty()) return {};
        const std::size_t count = batch_.size();
        SATCHEL_TRY_VOID(context_.site->records().record(std::exchange(batch_, {})));
        recorded_ += count;
        return {};
    }
    void refuse(const std::string& path, Error error) {
        error.detail = "line " + std::to_string(line_) + (error.detail.empty() ? "" : ": " + error.detail);
        error.about = path + ": " + error.about;
        if (++refused_ > kLinesRefusedShownMax) return;
        context_.output.item({{"refused", context_.output.fields_of(error)}});
        context_.output.warn("Not recorded: {what}", {{"what", context_.output.line_of(error)}});
    }
    Context& context_;
    std::int32_t offset_;
    std::vector<records::Event> batch_;
    std::uint64_t line_ = 0, recorded_ = 0, refused_ = 0;
};

Result<cli::ExitCode> record(Context& context) {
    if (context.arguments.has("--kinds")) return show_kinds(context);
    SATCHEL_TRY(const std::int32_t offset, utc_offset(context));
    if (const std::optional<std::string> path = context.arguments.optional("--file")) {
        Import import(context, offset);
        const Result<void> done = import.run(*path);
        context.output.clear_progress();
        context.output.note(
            "Recorded: {count} events; {refused} lines were refused",
            {{"count", std::to_string(import.recorded())}, {"refused", std::to_string(import.refused())}});
        SATCHEL_TRY_VOID(done);
        context.output.summary({{"recorded", import.recorded()}, {"refused", import.refused()}});
        return import.refused() == 0 ? cli::kExitDone : cli::kExitPartly;
    }
    std::vector<std::string> words = context.arguments.list("FIELD");
    const std::string kind = context.arguments.text("KIND");
    if (kind.empty())
        return fail(ErrorCode::kUsage, "record", "no kind of record is given",
                    "list the kinds with `satchel record --kinds`");
    SATCHEL_TRY(records::Event event, records::event_from_words(kind, words, offset));
    SATCHEL_TRY_VOID(context.site->records().complete_reference(event));
    SATCHEL_TRY(const std::vector<records::Identity> identities,
                context.site->records().record({std::move(event)}));
    const std::string id = records::text_of(identities.front());
    context.output.print(id);
    context.output.note("Recorded: {kind} {id}", {{"kind", kind}, {"id", id}});
    context.output.summary({{"id", id}, {"kind", kind}});
    return cli::kExitDone;
}

Result<cli::ExitCode> list(Context& context) {
    SATCHEL_TRY(const std::int32_t offset, utc_offset(context));
    const std::string wanted = context.arguments.text("--kind");
    const records::Kind* kind = wanted.empty() ? nullptr : records::find_kind(wanted);
    if (!wanted.empty() && kind == nullptr)
        return fail(ErrorCode::kNotFound, wanted, "there is no such kind of record",
                    "list the kinds with `satchel record --kinds`");
    std::uint64_t count = 0;
    SATCHEL_TRY_VOID(
        context.site->records().for_each_event([&](const SiteId& site, const records::Identity& identity,
                                                   const records::Event& event) -> Result<void> {
            if (kind != nullptr && event.kind != kind->number) return {};
            ++count;
            const std::string json = records::json_of(identity, event, offset);
            nlohmann::json fields = nlohmann::json::parse(json);
            fields["feed"] = to_hex(site);
            context.output.item(std::move(fields));
            context.output.print(json);
            return context.output.state();
        }));
    context.output.summary({{"records", count}});
    return cli::kExitDone;
}

Result<cli::ExitCode> show(Context& context) {
    SATCHEL_TRY(const std::int32_t offset, utc_offset(context));
    const std::string wanted = context.arguments.text("RECORD");
    bool found = false;
    SATCHEL_TRY_VOID(context.site->records().for_each_event(
        [&](const SiteId&, const records::Identity& identity, const records::Event& event) -> Result<void> {
            if (!records::text_of(identity).starts_with(wanted)) return {};
            found = true;
            context.output.print(records::json_of(identity, event, offset));
            context.output.item(nlohmann::json::parse(records::json_of(identity, event, offset)));
            return context.output.state();
        }));
    if (!found)
        return fail(ErrorCode::kNotFound, wanted, "no record has this id",
                    "list them with `satchel records list`");
    context.output.summary({{"record", wanted}});
    return cli::kExitDone;
}

Result<cli::ExitCode> verify(Context& context) {
    std::uint64_t damaged = 0;
    SATCHEL_TRY(const std::uint64_t whole, context.site->records().verify([&](const Error& error) {
        ++damaged;
        context.output.item({{"damaged", context.output.fields_of(error)}});
        context.output.warn("Damaged: {what}", {{"what", context.output.line_of(error)}});
    }));
    context.output.print("{count} segments are whole; {damaged} are damaged",
                         {{"count", std::to_string(whole)}, {"damaged", std::to_string(damaged)}});
    SATCHEL_TRY(const Digest digest, context.site->records().digest());
    context.output.summary({{"whole", whole}, {"damaged", damaged}, {"digest", to_hex(ByteView(digest))}});
    return damaged == 0 ? cli::kExitDone : cli::kExitDamaged;
}

}  // namespace

std::vector<CommandSpec> records_commands() {
    return {
        {.name = "record",
         .summary = "Records what happened here, or what a file says",
         .needs = Needs::kSite,
         .arguments = {{"KIND", ArgumentKind::kOptionalPositional, "",
                        "what it is: viewing, feedback, order ..."},
                       {"FIELD", ArgumentKind::kListPositional, "", "field=value, as --kinds shows"},
                       {"--file", ArgumentKind::kOption, "FILE",
                        "lines of JSON; records of other sites only at a hub"},
                       {"--kinds", ArgumentKind::kFlag, "", "lists the kinds and their fields"}},
         .examples = {"satchel --site village record viewing course=maths headcount=35 dur=3600",
                      "satchel --site hub record --file paper-books.jsonl"},
         .run = record},
        {.name = "records list",
         .summary = "Lists the records that are here, as lines of JSON",
         .needs = Needs::kSite,
         .arguments = {{"--kind", ArgumentKind::kOption, "KIND", "only of this kind"}},
         .examples = {"satchel --site village records list",
                      "satchel --site hub records list --kind viewing"},
         .run = list},
        {.name = "records show",
         .summary = "Shows one record",
         .needs = Needs::kSite,
         .arguments = {{"RECORD", ArgumentKind::kPositional, "", "its id, or the beginning of it"}},
         .examples = {"satchel --site village records show 1a2b3c4d5e6f7081/1/12",
                      "satchel --site hub records show 510700-0001/1/10 --json"},
         .run = show},
        {.name = "records verify",
         .summary = "Reads every record again and checks hashes and signatures",
         .needs = Needs::kSite,
         .arguments = {},
         .examples = {"satchel --site village records verify", "satchel --site hub records verify --json"},
         .run = verify},
    };
}

}  // namespace satchel::commands
