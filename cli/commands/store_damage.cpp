#include "cli/commands/store_damage.hpp"

#include <nlohmann/json.hpp>

#include "engine/base/encoding.hpp"

namespace satchel::commands {

void say_damage(Output& output, const store::Damage& damage) {
    nlohmann::json fields = output.fields_of(damage.error);
    fields["pack"] = damage.pack;
    fields["place"] = damage.place;
    fields["chunk"] = damage.chunk ? nlohmann::json(to_hex(*damage.chunk)) : nlohmann::json();
    fields["healed"] = damage.healed;
    if (damage.healed) fields["healed_bytes"] = damage.healed_bytes;
    output.item(std::move(fields));
    if (damage.healed) {
        output.print("mended: {file} at byte {place}: {bytes}",
                     {{"file", damage.pack},
                      {"place", std::to_string(damage.place)},
                      {"bytes", text::size_text(damage.healed_bytes)}});
        return;
    }
    const bool is_of_the_whole_pack = !damage.chunk && damage.place == 0;
    if (is_of_the_whole_pack)
        return output.print("damaged: {file}: {reason}",
                            {{"file", damage.pack}, {"reason", output.say(damage.error.reason)}});
    output.print("damaged: {file} at byte {place}: {reason}", {{"file", damage.pack},
                                                               {"place", std::to_string(damage.place)},
                                                               {"reason", output.say(damage.error.reason)}});
}

void say_loss(Output& output, const site::Loss& loss) {
    output.item({{"course", loss.course}, {"edition", loss.edition}, {"lost_file", loss.path}});
    const std::string edition = std::to_string(loss.edition);
    if (loss.path.empty())
        output.print("lost: {course}, edition {edition}: a part of its list of files",
                     {{"course", loss.course}, {"edition", edition}});
    else
        output.print("lost: {course}, edition {edition}: {path}",
                     {{"course", loss.course}, {"edition", edition}, {"path", loss.path}});
}

}  // namespace satchel::commands
