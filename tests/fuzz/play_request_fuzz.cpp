// Heads of HTTP requests: any bytes are refused, or make parts that write the same path again and a range
// that lies inside the file.
#include <cstdlib>
#include <string>

#include "cli/play/range.hpp"
#include "cli/play/request.hpp"
#include "cli/play/words.hpp"
#include "engine/base/bytes.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace satchel;
    const std::string_view head = text_of({data, size});
    const play::Request request = play::parse_head(head);
    if (request.refusal == 0 && request.parts.empty()) std::abort();
    std::string path;
    for (const std::string& part : request.parts) path += "/" + play::url_part(part);
    if (!path.empty() && play::path_parts(path) != request.parts) std::abort();
    const std::string range_header = request.range.value_or(std::string(head));
    for (const std::uint64_t file_size :
         {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{700'000}, ~std::uint64_t{0}}) {
        const play::ByteRange range = play::range_of(range_header, file_size);
        if (range.length > file_size || range.offset > file_size - range.length) std::abort();
        if (range.kind == play::RangeKind::kPart && range.length == 0) std::abort();
    }
    static_cast<void>(play::page_language(request.accept_language));
    static_cast<void>(play::is_own_host(request.host, {"village.lan"}));
    const std::string header = play::disposition("inline", head);
    if (header.find_first_of("\r\n") != std::string::npos) std::abort();
    if (play::html_of(head).find('<') != std::string::npos) std::abort();
    return 0;
}
