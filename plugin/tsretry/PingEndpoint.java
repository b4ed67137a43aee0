package tsretry;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.util.Collections;
import java.util.List;
import java.util.Properties;
import org.pytorch.serve.servingsdk.Context;
import org.pytorch.serve.servingsdk.ModelServerEndpoint;
import org.pytorch.serve.servingsdk.annotations.Endpoint;
import org.pytorch.serve.servingsdk.annotations.helpers.EndpointTypes;
import org.pytorch.serve.servingsdk.http.Request;
import org.pytorch.serve.servingsdk.http.Response;
import org.pytorch.serve.util.ApiUtils;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers /ping as TorchServe does, and 500 with the causes as soon as the default version of a model
 * is halted, waiting or retired. With {@code ?model=M} it is about that model alone.
 */
@Endpoint(urlPattern = "ping", endpointType = EndpointTypes.INFERENCE, description = "ts-retry: health")
public class PingEndpoint extends ModelServerEndpoint {
    private static final Logger LOG = LoggerFactory.getLogger(PingEndpoint.class);

    static {
        Refusals.listen();
    }

    @Override
    public void doGet(Request request, Response response, Context context) throws IOException {
        String name = Answer.parameter(request, "model");
        String version = Answer.parameter(request, "version");
        boolean isHealthy = true;
        boolean isKnown = name == null;
        JsonObject causes = new JsonObject();
        for (Server.Entry entry : models(context.getConfig())) {
            boolean counts = version == null || name == null ? entry.isDefault : entry.model.version.equals(version);
            if (name != null && !(entry.model.name.equals(name) && counts)) {
                continue;
            }
            isKnown = true;
            isHealthy &= name == null || entry.model.isHealthy;
            if (State.isDown(entry.state)) {
                isHealthy &= !counts;
                String key = counts ? entry.state : "other_versions";
                if (!causes.has(key)) {
                    causes.add(key, new JsonArray());
                }
                causes.getAsJsonArray(key).add(Answer.of(entry));
            }
        }
        if (!isKnown) {
            Answer.notFound(response, name);
            return;
        }
        isHealthy &= name != null || ApiUtils.isModelHealthy(); // What the built-in /ping asks.
        JsonObject content = new JsonObject();
        content.addProperty("status", isHealthy ? "Healthy" : "Unhealthy");
        if (Server.problem() != null && Server.isEnabled()) {
            content.addProperty("problem", Server.problem()); // The status is TorchServe's own then.
        }
        causes.entrySet().forEach(cause -> content.add(cause.getKey(), cause.getValue()));
        Answer.send(response, isHealthy ? 200 : 500, content);
    }

    private static List<Server.Entry> models(Properties config) {
        try {
            return Server.models(config);
        } catch (RuntimeException | LinkageError error) {
            LOG.warn("ts-retry: /ping answers as TorchServe alone does: {}", error.toString());
            return Collections.emptyList();
        }
    }

    /** TorchServe's own /ping takes any method. */
    @Override
    public void doPost(Request request, Response response, Context context) throws IOException {
        doGet(request, response, context);
    }

    @Override
    public void doPut(Request request, Response response, Context context) throws IOException {
        doGet(request, response, context);
    }

    @Override
    public void doDelete(Request request, Response response, Context context) throws IOException {
        doGet(request, response, context);
    }
}
