-- The employee on whose behalf a customer's session was begun (assisted buying).
ALTER TABLE "sessions" ADD COLUMN "actor_id" TEXT;
