#include "cli/commands/output.hpp"

#include <nlohmann/json.hpp>

namespace satchel::commands {

namespace {

// Names on disk need not be UTF-8; JSON must be.
std::string dump(const nlohmann::json& document) {
    return document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace

Output::Output(cli::Streams& streams, const cli::Invocation& invocation, Manner manner)
    : streams_(streams),
      manner_(manner),
      shows_progress_(invocation.err_is_terminal && !manner.json && !manner.quiet),
      width_(invocation.width) {}

Output::~Output() { clear_progress(); }

std::string Output::say(Literal text, text::Fields fields) const {
    return text::fill(manner_.language, text, fields);
}

void Output::print(std::string_view line) {
    if (manner_.json) return;
    out(text::printable(line) + "\n");
}

void Output::print(Literal text, text::Fields fields) { print(std::string_view(say(text, fields))); }

void Output::note(Literal text, text::Fields fields) {
    if (!manner_.quiet) warn(text, fields);
}

void Output::warn(Literal text, text::Fields fields) {
    if (!manner_.json) err(text::printable(say(text, fields)) + "\n");
}

void Output::data(std::string_view bytes) { out(bytes); }

void Output::item(nlohmann::json fields) {
    if (!manner_.json) return;
    fields["message_type"] = "item";
    out(dump(fields));
}

void Output::summary(nlohmann::json fields) {
    if (!manner_.json) return;
    fields["message_type"] = "summary";
    out(dump(fields));
}

nlohmann::json Output::fields_of(const Error& error) const {
    return {{"code", static_cast<int>(cli::exit_code_of(error.code))},
            {"about", error.about},
            {"reason", std::string(text::translate(manner_.language, error.reason.text()))},
            {"remedy", std::string(text::translate(manner_.language, error.remedy.text()))},
            {"detail", error.detail}};
}

std::string Output::line_of(const Error& error) const {
    std::string line;
    if (!error.about.empty()) line = error.about + ": ";
    line += text::translate(manner_.language, error.reason.text());
    if (!error.detail.empty()) line += " (" + error.detail + ")";
    return line;
}

void Output::error(const Error& error) {
    if (manner_.json) {
        nlohmann::json fields = fields_of(error);
        fields["message_type"] = "error";
        err(dump(fields));
        return;
    }
    err("satchel: " + text::printable(line_of(error)) + "\n");
    const std::string_view remedy = text::translate(manner_.language, error.remedy.text());
    if (!remedy.empty()) err("  " + std::string(remedy) + "\n");
}

void Output::progress_line(std::string_view wanted) {
    if (!shows_progress_) return;
    const std::string line = text::printable(wanted);
    // One column is kept free, so that no terminal wraps; a cut inside a UTF-8 character drops all of it.
    std::size_t size = std::min<std::size_t>(line.size(), width_ > 1 ? width_ - 1 : 1);
    while (size > 0 && size < line.size() && (static_cast<unsigned char>(line[size]) & 0xC0) == 0x80) --size;
    streams_.err("\r\033[K" + line.substr(0, size));
    line_is_up_ = true;
}

void Output::clear_progress() {
    if (!line_is_up_) return;
    line_is_up_ = false;
    streams_.err("\r\033[K");
}

void Output::out(std::string_view bytes) {
    clear_progress();
    if (!state_.has_value()) return;
    state_ = streams_.out(bytes);
}

void Output::err(std::string_view bytes) {
    clear_progress();
    streams_.err(bytes);
}

}  // namespace satchel::commands
