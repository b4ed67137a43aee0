package tsretry;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import org.pytorch.serve.servingsdk.Context;
import org.pytorch.serve.servingsdk.ModelServerEndpoint;
import org.pytorch.serve.servingsdk.annotations.Endpoint;
import org.pytorch.serve.servingsdk.annotations.helpers.EndpointTypes;
import org.pytorch.serve.servingsdk.http.Request;
import org.pytorch.serve.servingsdk.http.Response;
import org.pytorch.serve.util.ConfigManager;
import org.pytorch.serve.util.ConnectorType;

/** Answers /retry on the management port: every model with its state and cause, or {@code ?model=M}. */
@Endpoint(urlPattern = "retry", endpointType = EndpointTypes.MANAGEMENT, description = "ts-retry: states and causes")
public class RetryEndpoint extends ModelServerEndpoint {
    @Override
    public void doGet(Request request, Response response, Context context) throws IOException {
        String name = Answer.parameter(request, "model");
        JsonArray models = new JsonArray();
        for (Server.Entry entry : Server.models(context.getConfig())) {
            if (name == null || entry.model.name.equals(name)) {
                models.add(Answer.of(entry));
            }
        }
        if (name != null && models.size() == 0) {
            Answer.notFound(response, name);
            return;
        }
        JsonObject content = new JsonObject();
        content.add("server", server());
        content.addProperty("problem", Server.problem());
        content.add("models", models);
        Answer.send(response, 200, content);
    }

    /** Returns what the sidecar's /models says of a server. */
    private static JsonObject server() {
        ConfigManager manager = ConfigManager.getInstance();
        JsonObject content = new JsonObject();
        content.addProperty("pid", ProcessHandle.current().pid());
        content.addProperty("running", true);
        content.addProperty("torchserve", manager.getVersion());
        content.addProperty("management", manager.getListener(ConnectorType.MANAGEMENT_CONNECTOR).toString());
        return content;
    }
}
