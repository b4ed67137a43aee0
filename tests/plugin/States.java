package tsretry;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.InputStreamReader;
import java.util.HashSet;
import java.util.Set;

/** Reads a list of models with their markers from standard input and prints the state of each. */
final class States {
    public static void main(String[] arguments) {
        for (JsonElement each : JsonParser.parseReader(new InputStreamReader(System.in)).getAsJsonArray()) {
            JsonObject given = each.getAsJsonObject();
            SeenModel model = new SeenModel("m", "1.0", given.get("min_workers").getAsInt(), true);
            for (JsonElement worker : given.getAsJsonArray("workers")) {
                JsonObject seen = worker.getAsJsonObject();
                model.workers.add(
                        new SeenModel.Worker(
                                seen.get("id").getAsString(),
                                seen.get("pid").getAsInt(),
                                seen.get("ready").getAsBoolean(),
                                !seen.get("ready").getAsBoolean()));
            }
            Set<Integer> holders = new HashSet<>();
            given.getAsJsonArray("holders").forEach(pid -> holders.add(pid.getAsInt()));
            JsonElement marker = given.get("marker");
            System.out.println(
                    State.of(model, marker.isJsonNull() ? null : new Marker(marker.getAsJsonObject(), holders)));
        }
    }
}
