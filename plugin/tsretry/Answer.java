package tsretry;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.pytorch.serve.servingsdk.http.Request;
import org.pytorch.serve.servingsdk.http.Response;

/** Writes what an endpoint answers, in the form of TorchServe's own answers. */
final class Answer {
    private static final Gson JSON = new GsonBuilder().setPrettyPrinting().serializeNulls().create();
    private static final String[] COPIED = {
        "verdict", "basis", "rule", "fingerprint", "phase", "scope", "reason", "remedy", "next_trial_at", "trials",
        "max_retry_timeout_sec", "max_retry_timeout_source",
    };

    private Answer() {}

    static void send(Response response, int status, JsonObject content) throws IOException {
        response.setStatus(status);
        response.setContentType("application/json");
        response.getOutputStream().write((JSON.toJson(content) + "\n").getBytes(StandardCharsets.UTF_8));
    }

    static void notFound(Response response, String model) throws IOException {
        JsonObject content = new JsonObject();
        content.addProperty("code", 404);
        content.addProperty("type", "ModelNotFoundException");
        content.addProperty("message", "Model not found: " + model);
        send(response, 404, content);
    }

    /** Returns what stands under a name in the query, or null. */
    static String parameter(Request request, String name) {
        return request.getParameterMap() == null || request.getParameterMap().get(name) == null
                ? null
                : request.getParameter(name).get(0);
    }

    /** Returns a model in the keys of the sidecar's /models, as far as its marker knows them. */
    static JsonObject of(Server.Entry entry) {
        JsonObject content = new JsonObject();
        content.addProperty("model", entry.model.name);
        content.addProperty("version", entry.model.version);
        content.addProperty("state", entry.state);
        JsonObject marker = entry.marker == null ? new JsonObject() : entry.marker.json;
        for (String key : COPIED) {
            content.add(key, orNull(marker.get(key)));
        }
        content.add("exception", exception(marker));
        content.add("since", orNull(marker.get("created_at")));
        content.add("waits_for", marker.has("waits_for") ? marker.get("waits_for") : new JsonArray());
        content.addProperty("cause", entry.marker == null ? entry.refusal : entry.marker.cause());
        if (entry.state.equals(State.NOT_REGISTERED)) {
            content.addProperty("reason", "TorchServe was started with it and did not register it");
            content.addProperty("remedy", "ts-retry show says what to do");
        }
        return content;
    }

    /** Returns type and message of what was raised, without traceback and chain, as the sidecar's /models does. */
    private static JsonElement exception(JsonObject marker) {
        if (!marker.has("exception")) {
            return JsonNull.INSTANCE;
        }
        JsonObject content = new JsonObject();
        content.add("type", marker.getAsJsonObject("exception").get("type"));
        content.add("message", marker.getAsJsonObject("exception").get("message"));
        return content;
    }

    private static JsonElement orNull(JsonElement element) {
        return element == null ? JsonNull.INSTANCE : element;
    }
}
