-- CreateEnum
CREATE TYPE "LetterKind" AS ENUM ('REGISTRATION', 'PASSWORD_RESET', 'EMAIL_CHANGE', 'EMAIL_CHANGE_NOTICE');

-- CreateEnum
CREATE TYPE "LetterPurpose" AS ENUM ('CONFIRM_CUSTOMER', 'RESET_PASSWORD', 'CHANGE_EMAIL');

-- AlterTable
ALTER TABLE "customers" ADD COLUMN     "disabled_for" TEXT,
ADD COLUMN     "unconfirmed" BOOLEAN NOT NULL DEFAULT false;

-- CreateTable
CREATE TABLE "letters" (
    "tenant_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "kind" "LetterKind" NOT NULL,
    "customer_id" TEXT,
    "user_type" "UserType" NOT NULL,
    "address" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "due_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "tries" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "letters_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "letter_tokens" (
    "tenant_id" TEXT NOT NULL,
    "id" BYTEA NOT NULL,
    "purpose" "LetterPurpose" NOT NULL,
    "customer_id" TEXT,
    "employee_id" TEXT,
    "new_email" TEXT,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "letter_tokens_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateIndex
CREATE INDEX "letters_due_at_idx" ON "letters"("due_at");

-- CreateIndex
CREATE INDEX "letters_tenant_id_customer_id_idx" ON "letters"("tenant_id", "customer_id");

-- CreateIndex
CREATE INDEX "letters_tenant_id_address_idx" ON "letters"("tenant_id", "address");

-- CreateIndex
CREATE INDEX "letter_tokens_expires_at_idx" ON "letter_tokens"("expires_at");

-- CreateIndex
CREATE UNIQUE INDEX "letter_tokens_id_key" ON "letter_tokens"("id");

-- CreateIndex
CREATE UNIQUE INDEX "letter_tokens_tenant_id_customer_id_purpose_key" ON "letter_tokens"("tenant_id", "customer_id", "purpose");

-- CreateIndex
CREATE UNIQUE INDEX "letter_tokens_tenant_id_employee_id_purpose_key" ON "letter_tokens"("tenant_id", "employee_id", "purpose");

-- AddForeignKey
ALTER TABLE "letters" ADD CONSTRAINT "letters_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "letters" ADD CONSTRAINT "letters_tenant_id_customer_id_fkey" FOREIGN KEY ("tenant_id", "customer_id") REFERENCES "customers"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "letter_tokens" ADD CONSTRAINT "letter_tokens_tenant_id_customer_id_fkey" FOREIGN KEY ("tenant_id", "customer_id") REFERENCES "customers"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "letter_tokens" ADD CONSTRAINT "letter_tokens_tenant_id_employee_id_fkey" FOREIGN KEY ("tenant_id", "employee_id") REFERENCES "employees"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- The link of a letter is for one person.
ALTER TABLE "letter_tokens" ADD CONSTRAINT "letter_tokens_one_principal"
CHECK (("customer_id" IS NULL) <> ("employee_id" IS NULL));
