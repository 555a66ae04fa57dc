# The product's image for users with Docker: docker build -t tranship/tranship .
# The layout is that of testbed/images/applications.ts, which makes the same image without Docker for the demo and the tests:
# /app/mover.mjs (default), /app/tranship.mjs, the chunks they load, and koffi with its native part beside them.

FROM node:26-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tools/build.ts tools/
COPY src src
RUN node tools/build.ts

FROM node:26-bookworm-slim
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
ENV NODE_ENV=production SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
COPY --from=build /src/node_modules/koffi node_modules/koffi
COPY --from=build /src/node_modules/@koromix node_modules/@koromix
COPY --from=build /src/dist ./
# Root: the mover keeps owners and modes of every file it writes. Nothing is written to the image's own file system.
USER 0
ENTRYPOINT []
CMD ["node", "/app/mover.mjs", "idle"]
