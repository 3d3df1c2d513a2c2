#include "cli/commands/progress_line.hpp"

#include <cstring>

namespace satchel::commands {

Error cancelled() {
    return fail(ErrorCode::kCancelled, "", "stopped before the end",
                "run the same command again: it goes on where it stopped");
}

Result<void> ProgressLine::update(const ProgressUpdate& now) {
    if (output_.cancelled()) return cancelled();
    if (!output_.shows_progress()) return {};
    const std::uint64_t time = clock_.steady_ms();
    if (stage_ == nullptr || std::strcmp(stage_, now.stage.text()) != 0) {
        stage_ = now.stage.text();
        stage_began_ms_ = time;
        stage_began_bytes_ = now.bytes_done;
    } else if (time - shown_ms_ < kProgressIntervalMs) {
        return {};
    }
    shown_ms_ = time;
    output_.progress_line(line_of(now, time - stage_began_ms_));
    return {};
}

std::string ProgressLine::line_of(const ProgressUpdate& now, std::uint64_t elapsed_ms) const {
    std::string line(text::translate(output_.language(), now.stage.text()));
    if (now.items_done != 0 || now.items_total != 0) {
        line += "  " + std::to_string(now.items_done);
        if (now.items_total != 0) line += "/" + std::to_string(now.items_total);
    }
    if (now.bytes_done != 0 || now.bytes_total != 0) {
        line += "  " + text::size_text(now.bytes_done);
        if (now.bytes_total != 0) line += "/" + text::size_text(now.bytes_total);
        const std::uint64_t moved =
            now.bytes_done > stage_began_bytes_ ? now.bytes_done - stage_began_bytes_ : 0;
        // A rate over less than half a second says nothing.
        const std::uint64_t rate = elapsed_ms >= 500 ? moved * 1000 / elapsed_ms : 0;
        if (rate != 0) {
            line += "  " + text::size_text(rate) + "/s";
            if (now.bytes_total > now.bytes_done)
                line +=
                    "  " +
                    output_.say("{time} left",
                                {{"time", text::duration_text((now.bytes_total - now.bytes_done) / rate)}});
        }
    }
    if (!now.item.empty()) line += "  " + now.item;
    return line;
}

}  // namespace satchel::commands
