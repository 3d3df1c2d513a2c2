#include "engine/catalogue/signers.hpp"

#include <algorithm>

#include "engine/base/encoding.hpp"

namespace satchel::catalogue {

namespace {

bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

}  // namespace

std::string signer_line(const trust::KeyHolder& signer, std::string_view name_space) {
    std::string principal = signer.holder;
    const auto breaks = [](char c) { return !is_plain(c) && c != '.' && c != '@'; };
    std::replace_if(principal.begin(), principal.end(), breaks, '_');
    return principal + " namespaces=\"" + std::string(name_space) + "\" " +
           trust::ssh_public_line(signer.key, "") + "\n";
}

std::string lane_file_name(std::string_view lane) {
    std::string name;
    for (const char& c : lane) {
        if (is_plain(c))
            name += c;
        else
            name += "=" + to_hex(bytes_of({&c, 1}));
    }
    return name;
}

}  // namespace satchel::catalogue
