package tsretry;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;

/** An exit marker as a worker wrote it, redacted before it was written; see ts_retry_ext/store/marker.py. */
final class Marker {
    /** Characters of a cause in one line; see ts_retry_ext/plain_text.py. */
    private static final int CAUSE_LENGTH = 400;

    final JsonObject json;
    /** Processes that reject requests in place of the model, from the journal. */
    final Set<Integer> holders;

    /**
     * Takes what {@code marker.json} holds.
     *
     * @throws RuntimeException it lacks a key that the rule needs, or is of another schema
     */
    Marker(JsonObject json, Set<Integer> holders) {
        if (json.get("schema").getAsInt() != 1) {
            throw new IllegalArgumentException("of another schema");
        }
        this.json = json;
        this.holders = holders;
        // Asked for here, so that a spoilt one is refused where it is read.
        model();
        registration();
        serverPid();
        action();
        holds();
        waitsFor();
        only();
        cause();
    }

    String model() {
        return json.get("model").getAsString();
    }

    String registration() {
        return json.get("registration").getAsString();
    }

    int serverPid() {
        return json.getAsJsonObject("server").get("pid").getAsInt();
    }

    String action() {
        return json.get("action").getAsString();
    }

    boolean holds() {
        return !json.has("holds") || json.get("holds").getAsBoolean();
    }

    List<String> waitsFor() {
        return json.has("waits_for") ? strings(json.getAsJsonArray("waits_for")) : Collections.emptyList();
    }

    /** Where the frontend launched the workers that it means; null for all of them. */
    List<String> only() {
        JsonElement only = json.getAsJsonObject("worker").get("only");
        return only == null || only.isJsonNull() ? null : strings(only.getAsJsonArray());
    }

    /** Type and message of the exception in one line. */
    String cause() {
        JsonObject exception = json.getAsJsonObject("exception");
        String text = exception.get("type").getAsString() + ": " + exception.get("message").getAsString();
        String line = String.join(" ", text.trim().split("\\s+"));
        return line.length() <= CAUSE_LENGTH ? line : line.substring(0, CAUSE_LENGTH - 1) + "\u2026";
    }

    private static List<String> strings(JsonArray array) {
        List<String> found = new ArrayList<>();
        array.forEach(each -> found.add(each.getAsString()));
        return found;
    }
}
